// SPDX-License-Identifier: MIT
// What tokenizers share, and loading one from a Hugging Face folder.
#include "io/tokenizers/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

#include "io/base/error.h"
#include "io/base/look.h"
#include "io/base/sha256.h"
#include "io/base/text.h"
#include "io/tokenizers/byte_bpe.h"
#include "io/tokenizers/language_words.h"
#include "io/tokenizers/tokenizer_config.h"
#include "io/tokenizers/tokenizer_json.h"
#include "io/tokenizers/word_vocabulary.h"
#include "io/tokenizers/wordpiece.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVocabularyName = "vocab.txt";

bool has_capital(const std::string& token) {
  const bool special = token.starts_with('[') && token.ends_with(']');  // [CLS], [unused7]
  return !special &&
         std::any_of(token.begin(), token.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// Where no file says whether texts are lowered, the vocabulary tells.
bool lowers(const std::optional<bool>& said, const std::vector<std::string>& vocabulary,
            std::vector<std::string>& notes) {
  const auto capital = std::find_if(vocabulary.begin(), vocabulary.end(), has_capital);
  if (capital == vocabulary.end()) return said.value_or(true);
  const std::string seen = "its vocabulary has capital letters ('" + printable(*capital) + "')";
  if (!said) {
    notes.push_back(seen + " and no file has do_lower_case: the case of texts is kept");
  } else if (*said) {
    notes.push_back("texts are lowered, as do_lower_case says, but " + seen);
  }
  return said.value_or(false);
}

BertNormalizerOptions normalizer_options(TokenizerConfig& config, const TokenizerJson& json,
                                         const std::vector<std::string>& vocabulary,
                                         std::vector<std::string>& notes) {
  BertNormalizerOptions options;
  options.lower_case = lowers(config.flag("do_lower_case", json.lower_case), vocabulary, notes);
  options.strip_accents =
      config.flag("strip_accents", json.strip_accents).value_or(options.lower_case);
  options.space_cjk = config.flag("tokenize_chinese_chars", json.space_cjk).value_or(true);
  return options;
}

void note_unused(const TokenizerConfig& config, std::vector<std::string>& notes) {
  if (const auto unused = config.unused(); !unused.empty())
    notes.push_back("keys of tokenizer_config.json that are not known and not used: " +
                    first_few(unused));
}

WordPieceOptions wordpiece_options(const fs::path& folder,
                                   const std::vector<std::string>& vocabulary,
                                   const TokenizerJson& json, std::vector<std::string>& notes) {
  TokenizerConfig config(folder);
  WordPieceOptions options;
  options.normalizer = normalizer_options(config, json, vocabulary, notes);
  std::vector<SpecialToken> specials;
  for (const auto& [key, token] :
       {std::pair("pad_token", &options.pad), std::pair("unk_token", &options.unknown),
        std::pair("cls_token", &options.cls), std::pair("sep_token", &options.separator),
        std::pair("mask_token", &options.mask)}) {
    specials.push_back(config.special(key, {*token}));
    *token = specials.back().text;
    if (specials.back().strips_left || specials.back().strips_right)
      config.problem(std::string("'") + key +
                     "' takes the blanks beside it, which is not supported");
  }
  if (!json.unknown.empty() && json.unknown != options.unknown)
    config.problem("'unk_token' is '" + options.unknown + "', tokenizer.json says '" +
                   printable(json.unknown) + "'");
  config.require_class({"BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer",
                        "MobileBertTokenizer", "PreTrainedTokenizer", "TokenizersBackend"});
  config.require_flag("do_basic_tokenize", true,
                      "text without splitting into words is not supported");
  config.require_flag("split_special_tokens", false, "special tokens in a text are kept whole");
  config.require_text("truncation_side", "right", "rows are cut at their end");
  config.require_none("never_split");
  config.require_added(specials, vocabulary, json.added);
  config.throw_if_any();
  note_unused(config, notes);
  return options;
}

}  // namespace

std::pair<size_t, size_t> truncate_longest_first(size_t a, size_t b, size_t budget) {
  if (a + b <= budget) return {a, b};
  const size_t half = budget / 2, rest = budget - half;
  const bool a_is_shorter = a <= b;
  const size_t shorter = std::min(a, b);
  const bool only_longer = 2 * shorter <= budget;
  const size_t keep_shorter = only_longer ? shorter : half;
  const size_t keep_longer = only_longer ? budget - shorter : rest;
  return a_is_shorter ? std::pair{keep_shorter, keep_longer} : std::pair{keep_longer, keep_shorter};
}

namespace {

// An entry's id is its line, so no line is left out but the blank ones at the end.
std::vector<std::string> read_vocabulary(const fs::path& path) {
  const std::string text = read_text_file(path);
  std::vector<std::string> vocabulary;
  for (std::string_view rest = without_byte_order_mark(text); !rest.empty();)
    vocabulary.emplace_back(take_line(rest));
  while (!vocabulary.empty() && vocabulary.back().empty()) vocabulary.pop_back();
  return vocabulary;
}

std::unique_ptr<Tokenizer> load_words(const fs::path& folder, std::vector<std::string> words,
                                      std::vector<std::string>& notes) {
  TokenizerConfig config(folder);
  const BertNormalizerOptions options = normalizer_options(config, {}, words, notes);
  config.throw_if_any();
  note_unused(config, notes);
  return std::make_unique<WordVocabulary>(std::move(words), options,
                                          (folder / kVocabularyName).string());
}

// d-heavy lowers texts whatever the vocabulary; do_lower_case says otherwise.
std::unique_ptr<Tokenizer> load_language_words(const fs::path& folder,
                                               std::vector<std::string> words,
                                               std::vector<std::string>& notes) {
  TokenizerConfig config(folder);
  const bool lower_case = config.flag("do_lower_case", true);
  config.require_class({"TransfoXLTokenizer", "PreTrainedTokenizer"});
  config.throw_if_any();
  note_unused(config, notes);
  return std::make_unique<LanguageWords>(std::move(words), lower_case,
                                         (folder / kVocabularyName).string());
}

// With vocab.txt, or with tokenizer.json alone.
std::unique_ptr<Tokenizer> load_vocabulary(const fs::path& folder,
                                           const std::optional<TokenizerJson>& json) {
  const fs::path path = folder / kVocabularyName;
  const bool own = is_there(path);
  const auto vocabulary = own ? read_vocabulary(path) : json->tokens;
  if (own && json) check_same_tokens(*json, vocabulary, path);
  std::vector<std::string> notes;
  std::unique_ptr<Tokenizer> tokenizer;
  if (WordVocabulary::is_one(vocabulary)) {
    tokenizer = load_words(folder, vocabulary, notes);
  } else if (LanguageWords::is_one(vocabulary)) {
    tokenizer = load_language_words(folder, vocabulary, notes);
  } else {
    const auto options =
        wordpiece_options(folder, vocabulary, json.value_or(TokenizerJson{}), notes);
    tokenizer = std::make_unique<WordPiece>(vocabulary, options,
                                            (own ? path : folder / "tokenizer.json").string());
  }
  for (auto& note : notes) tokenizer->add_note(std::move(note));
  return tokenizer;
}

}  // namespace

std::vector<int32_t> Tokenizer::encode(std::string_view text) const {
  std::vector<int32_t> ids;
  append(text, ids);
  return ids;
}

namespace {

// Ids that are left beside `specials` of them.
size_t room_beside(size_t specials, int max_length) {
  if (max_length < static_cast<int>(specials)) {
    throw_user_error("max_seq_length", std::to_string(max_length) + " leaves no room for the " +
                                           std::to_string(specials) + " special tokens");
  }
  return static_cast<size_t>(max_length) - specials;
}

}  // namespace

Encoding Tokenizer::encode_row(std::string_view a, const std::string_view* b,
                               int max_length) const {
  if (!b) return encode_apart(a, nullptr, max_length);
  const RowFrame specials = frame();
  const auto between = static_cast<size_t>(specials.between);
  const size_t room = room_beside(2 + between, max_length);
  Encoding row;
  auto& ids = row.ids;
  ids.push_back(specials.first);
  append(a, ids);
  const size_t length_a = ids.size() - 1;
  append(*b, ids);
  const size_t length_b = ids.size() - 1 - length_a;
  const auto [keep_a, keep_b] = truncate_longest_first(length_a, length_b, room);

  const auto at = [&](size_t i) { return ids.begin() + static_cast<ptrdiff_t>(i); };
  ids.erase(at(1 + length_a + keep_b), ids.end());
  ids.erase(at(1 + keep_a), at(1 + length_a));
  ids.insert(at(1 + keep_a), between, specials.separator);
  ids.push_back(specials.separator);
  row.first_segment = static_cast<int32_t>(keep_a + 2);
  return row;
}

Encoding Tokenizer::encode_apart(std::string_view a, const std::string_view* b,
                                 int max_length) const {
  Encoding row;
  append_alone(a, max_length, row.ids);
  row.first_segment = static_cast<int32_t>(row.ids.size());
  if (b) append_alone(*b, max_length, row.ids);
  return row;
}

namespace {

// The byte before the character at the fraction `cut` of a text.
size_t cut_of(std::string_view text, double cut) {
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  const auto characters = std::count_if(text.begin(), text.end(), begins);
  auto left = static_cast<int64_t>(cut * static_cast<double>(characters));
  for (size_t i = 0; i < text.size(); ++i) {
    if (begins(text[i]) && left-- == 0) return i;
  }
  return text.size();
}

[[noreturn]] void refuse_as_language() {
  throw_user_error("tokenizer", "its vocabulary has no mark that ends a text",
                   "a language model's is GPT-2's, Transformer-XL's or one of word pieces");
}

}  // namespace

TextMarks Tokenizer::text_marks() const { refuse_as_language(); }

MaskMarks Tokenizer::mask_marks() const {
  throw_user_error("tokenizer", "its vocabulary has no mask that a language model could fill",
                   "one of word pieces, as BERT's, has [MASK]");
}

std::string Tokenizer::text_of(std::span<const int32_t>) const { refuse_as_language(); }

Encoding Tokenizer::encode_text(std::string_view a, const std::string_view* b, int max_length,
                                std::optional<double> cut) const {
  const TextMarks marks = text_marks();
  Encoding row;
  if (marks.between >= 0) {
    append(a, row.ids);
    row.first_segment = static_cast<int32_t>(row.ids.size() + 1);
    if (b) {
      row.ids.push_back(marks.between);
      append(*b, row.ids);
    }
  } else {
    const std::string text = b ? fmt::format("{} \t {}", a, *b) : std::string(a);
    const size_t middle = cut ? cut_of(text, *cut) : text.size();
    append(std::string_view(text).substr(0, middle), row.ids);
    append(std::string_view(text).substr(middle), row.ids);
    row.first_segment = ids_before(row.ids, a.size() + 2);
  }
  row.ids.push_back(marks.end);
  if (row.ids.size() > static_cast<size_t>(max_length))
    row.ids.resize(static_cast<size_t>(max_length));
  if (!b) row.first_segment = static_cast<int32_t>(row.ids.size());
  row.first_segment = std::min(row.first_segment, static_cast<int32_t>(row.ids.size()));
  return row;
}

// How many of them stand for at least `bytes` of text.
int32_t Tokenizer::ids_before(const std::vector<int32_t>& ids, size_t bytes) const {
  size_t seen = 0, count = 0;
  while (seen < bytes && count < ids.size()) seen += text_of({&ids[count++], 1}).size();
  return static_cast<int32_t>(count);
}

void Tokenizer::append_alone(std::string_view text, int max_length,
                             std::vector<int32_t>& ids) const {
  const RowFrame specials = frame();
  const size_t most = ids.size() + 1 + room_beside(2, max_length);
  ids.push_back(specials.first);
  append(text, ids);
  if (ids.size() > most) ids.resize(most);
  ids.push_back(specials.separator);
}

namespace {

[[noreturn]] void refuse_without_vocabulary(const fs::path& folder) {
  for (const char* name : {"spiece.model", "sentencepiece.bpe.model", "tokenizer.model"}) {
    if (is_there(folder / name))
      throw_user_error((folder / name).string(), "is SentencePiece's, which is not supported",
                       "a BERT or RoBERTa with vocab.txt, or vocab.json and merges.txt");
  }
  throw_user_error(folder.string(),
                   "has no vocabulary: vocab.txt, vocab.json with merges.txt, or tokenizer.json",
                   "a Hugging Face folder has them beside config.json");
}

}  // namespace

std::unique_ptr<Tokenizer> read_tokenizer(const fs::path& folder) {
  if (!is_folder(folder))
    throw_user_error(folder.string(), is_file(folder) ? "is a file" : "there is no such folder",
                     "expected the folder of a vocabulary: vocab.txt, vocab.json and merges.txt, "
                     "or tokenizer.json");
  const auto json = read_tokenizer_json(folder);
  const bool words = is_there(folder / kVocabularyName);
  const bool merges = is_there(folder / "vocab.json") || is_there(folder / "merges.txt");
  if (!words && !merges && !json) refuse_without_vocabulary(folder);
  const bool byte_bpe = words ? false : merges || json->byte_bpe;
  if (json && json->byte_bpe != byte_bpe) {
    throw_user_error((folder / "tokenizer.json").string(),
                     "is of another kind than the vocabulary beside it",
                     "delete the files that are another model's");
  }
  auto tokenizer = byte_bpe ? load_byte_bpe(folder, json) : load_vocabulary(folder, json);
  if (words && merges) tokenizer->add_note("not used beside vocab.txt: vocab.json, merges.txt");
  return tokenizer;
}

namespace {

// Changes with any file that decides the ids.
std::string content_key(const fs::path& folder) {
  std::string key;
  for (const char* name : kTokenizerFiles) {
    key += is_there(folder / name) ? file_sha256(folder / name) + " " : "- ";
  }
  return key;
}

}  // namespace

std::shared_ptr<const Tokenizer> load_tokenizer(const fs::path& folder) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const Tokenizer>> loaded;
  const std::string key = content_key(folder);
  const std::lock_guard lock(mutex);
  auto& tokenizer = loaded[key];
  if (!tokenizer) tokenizer = read_tokenizer(folder);
  return tokenizer;
}

}  // namespace kdbench
