// SPDX-License-Identifier: MIT
// A byte-level BPE tokenizer from a Hugging Face folder. What would change ids and is not supported
// is refused.
#include <fmt/format.h>

#include <algorithm>

#include "io/base/error.h"
#include "io/base/json_file.h"
#include "io/base/text.h"
#include "io/tokenizers/byte_bpe.h"
#include "io/tokenizers/tokenizer_config.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// vocab.json: token -> id, the ids from 0 on without a gap.
std::vector<std::string> read_tokens(const fs::path& path) {
  const json object = read_json_object(path);
  std::vector<std::string> tokens(object.size());
  Problems problems;
  for (const auto& [token, id] : object.items()) {
    const std::string name = fmt::format("'{}'", printable(token));
    if (token.empty()) {
      problems.add(path.string(), fmt::format("the token of id {} is empty", printable(id.dump())));
    } else if (!id.is_number_unsigned() || id.get<uint64_t>() >= tokens.size()) {
      problems.add(path.string(),
                   fmt::format("{} has the id {}, expected 0 to {}", name, printable(id.dump()),
                               tokens.size() - 1),
                   "the ids of all tokens follow each other, each once");
    } else if (std::string& place = tokens[id.get<size_t>()]; place.empty()) {
      place = token;
    } else {
      problems.add(path.string(),
                   fmt::format("{} has the id of '{}', {}", name, printable(place), id.dump()));
    }
  }
  if (tokens.empty()) problems.add(path.string(), "there are no tokens");
  problems.throw_if_any(path.string());
  return tokens;
}

// merges.txt: "left right" a line, below lines that begin with #version.
std::vector<BpeVocabulary::Merge> read_merges(const fs::path& path) {
  const std::string text = read_text_file(path);
  std::vector<BpeVocabulary::Merge> merges;
  Problems problems;
  int64_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = take_line(rest);
    ++number;
    if (line.starts_with("#version")) continue;
    const size_t blank = line.find(' ');
    if (blank == 0 || blank == std::string_view::npos || blank + 1 == line.size() ||
        line.find(' ', blank + 1) != std::string_view::npos) {
      problems.add(fmt::format("{}:{}", path.string(), number),
                   fmt::format("expected two tokens with a blank between them, found '{}'",
                               printable(line)));
    } else {
      merges.push_back(
          {std::string(line.substr(0, blank)), std::string(line.substr(blank + 1)), number});
    }
  }
  problems.throw_if_any(path.string());
  return merges;
}

bool is_gpt2(const std::vector<std::string>& tokens, TokenizerConfig& config) {
  const std::string name = config.text("tokenizer_class", "");
  if (!name.empty()) return name.starts_with("GPT2");
  const auto has = [&](const char* token) {
    return std::find(tokens.begin(), tokens.end(), token) != tokens.end();
  };
  return !has("<s>") && has("<|endoftext|>");
}

// Each token once: several keys may name the same.
void add_special(std::vector<SpecialToken>& specials, const SpecialToken& token) {
  const bool there = std::any_of(specials.begin(), specials.end(),
                                 [&](const SpecialToken& one) { return one.text == token.text; });
  if (!there) specials.push_back(token);
}

ByteBpeOptions read_options(const fs::path& path, const std::vector<std::string>& tokens) {
  TokenizerConfig config(path);
  const bool gpt2 = is_gpt2(tokens, config);
  const std::string end = "<|endoftext|>";
  ByteBpeOptions options;
  options.specials.clear();
  add_special(options.specials, config.special("mask_token", {gpt2 ? end : "<mask>", -1, !gpt2}));
  for (const auto& [key, text] :
       {std::pair("bos_token", "<s>"), std::pair("cls_token", "<s>"),
        std::pair("pad_token", "<pad>"), std::pair("eos_token", "</s>"),
        std::pair("sep_token", "</s>"), std::pair("unk_token", "<unk>")}) {
    add_special(options.specials, config.special(key, {gpt2 ? end : text}));
  }
  options.first = gpt2 ? "" : config.token("cls_token", options.first);
  options.separator = gpt2 ? "" : config.token("sep_token", options.separator);
  options.add_prefix_space = config.flag("add_prefix_space", false);
  config.require_flag("split_special_tokens", false, "special tokens in a text are kept whole");
  config.require_text("truncation_side", "right", "rows are cut at their end");
  if (gpt2) config.require_flag("add_bos_token", false, "it is not supported");
  config.require_added(options.specials);
  config.throw_if_any();
  return options;
}

// added_tokens.json, of older folders: token -> id, beside the vocabulary.
void check_added_tokens(const fs::path& path, const BpeVocabulary& vocabulary) {
  if (!fs::exists(path)) return;
  const json added = read_json_object(path);
  Problems problems;
  for (const auto& [token, id] : added.items()) {
    const auto& tokens = vocabulary.tokens;
    const bool same = id.is_number_unsigned() && id.get<uint64_t>() < tokens.size() &&
                      tokens[id.get<size_t>()] == token;
    if (same) continue;
    problems.add(path.string(),
                 fmt::format("'{}' is not in vocab.json under this id", printable(token)),
                 "added tokens are not supported");
  }
  problems.throw_if_any(path.string());
}

}  // namespace

std::unique_ptr<Tokenizer> load_byte_bpe(const fs::path& folder) {
  BpeVocabulary vocabulary;
  vocabulary.tokens_file = (folder / "vocab.json").string();
  vocabulary.merges_file = (folder / "merges.txt").string();
  vocabulary.tokens = read_tokens(vocabulary.tokens_file);
  vocabulary.merges = read_merges(vocabulary.merges_file);
  check_added_tokens(folder / "added_tokens.json", vocabulary);
  const ByteBpeOptions options = read_options(folder / "tokenizer_config.json", vocabulary.tokens);
  return std::make_unique<ByteBpe>(vocabulary, options);
}

}  // namespace kdbench
