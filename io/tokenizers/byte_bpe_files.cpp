// SPDX-License-Identifier: MIT
// A byte-level BPE tokenizer from a Hugging Face folder. What would change ids and is not supported
// is refused.
#include <fmt/format.h>

#include <algorithm>

#include "io/base/error.h"
#include "io/base/json_file.h"
#include "io/base/look.h"
#include "io/base/text.h"
#include "io/tokenizers/byte_bpe.h"
#include "io/tokenizers/tokenizer_config.h"
#include "io/tokenizers/tokenizer_json.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// merges.txt: "left right" a line; empty lines and those that begin with #version say nothing.
std::vector<BpeVocabulary::Merge> read_merges(const fs::path& path) {
  const std::string text = read_text_file(path);
  std::vector<BpeVocabulary::Merge> merges;
  Problems problems;
  int64_t number = 0;
  for (std::string_view rest = without_byte_order_mark(text); !rest.empty();) {
    const std::string_view line = take_line(rest);
    ++number;
    if (line.empty() || line.starts_with("#version")) continue;
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

void check_same_merges(const TokenizerJson& json, const std::vector<BpeVocabulary::Merge>& merges,
                       const fs::path& file) {
  const auto same = [](const BpeVocabulary::Merge& a, const BpeVocabulary::Merge& b) {
    return a.left == b.left && a.right == b.right;
  };
  if (std::equal(merges.begin(), merges.end(), json.merges.begin(), json.merges.end(), same))
    return;
  throw_user_error(file.string(), "has other merges than tokenizer.json",
                   "one of the two files is another model's");
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

ByteBpeOptions byte_bpe_options(const fs::path& folder, const std::vector<std::string>& tokens,
                                const TokenizerJson& json, std::vector<std::string>& notes) {
  TokenizerConfig config(folder);
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
  options.add_prefix_space = config.flag("add_prefix_space", json.add_prefix_space).value_or(false);
  config.require_flag("split_special_tokens", false, "special tokens in a text are kept whole");
  config.require_text("truncation_side", "right", "rows are cut at their end");
  if (gpt2) config.require_flag("add_bos_token", false, "it is not supported");
  config.require_class({"RobertaTokenizer", "GPT2Tokenizer", "BartTokenizer", "LongformerTokenizer",
                        "PreTrainedTokenizer", "TokenizersBackend"});
  config.require_added(options.specials, tokens, json.added);
  config.throw_if_any();
  if (const auto unused = config.unused(); !unused.empty())
    notes.push_back("keys of tokenizer_config.json that are not known and not used: " +
                    first_few(unused));
  return options;
}

}  // namespace

std::unique_ptr<Tokenizer> load_byte_bpe(const fs::path& folder,
                                         const std::optional<TokenizerJson>& json) {
  BpeVocabulary vocabulary;
  const fs::path tokens = folder / "vocab.json", merges = folder / "merges.txt";
  if (is_there(tokens) || is_there(merges)) {
    vocabulary.tokens_file = tokens.string();
    vocabulary.merges_file = merges.string();
    vocabulary.tokens = tokens_by_id(read_json_object(tokens), tokens.string());
    vocabulary.merges = read_merges(merges);
    if (json) check_same_tokens(*json, vocabulary.tokens, tokens);
    if (json) check_same_merges(*json, vocabulary.merges, merges);
  } else {
    vocabulary.tokens_file = vocabulary.merges_file = (folder / "tokenizer.json").string();
    vocabulary.tokens = json->tokens;
    vocabulary.merges = json->merges;
  }
  std::vector<std::string> notes;
  const ByteBpeOptions options =
      byte_bpe_options(folder, vocabulary.tokens, json.value_or(TokenizerJson{}), notes);
  auto tokenizer = std::make_unique<ByteBpe>(vocabulary, options);
  for (auto& note : notes) tokenizer->add_note(std::move(note));
  return tokenizer;
}

}  // namespace kdbench
