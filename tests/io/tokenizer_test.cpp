// SPDX-License-Identifier: MIT
// The rules on a small vocabulary with literals, then all records of the fixture with the real
// vocabulary.
#include "io/tokenizers/tokenizer.h"

#include <gtest/gtest.h>

#include <fstream>

#include "io/tokenizers/bert_normalizer.h"
#include "io/tokenizers/piece_trie.h"
#include "io/tokenizers/wordpiece.h"
#include "tests/io/rank_folder.h"
#include "tests/io/tokenizer_records.h"
#include "tests/support/test_data.h"

namespace kdbench::tokenizer_test {
namespace {

using testing::compare_records;
using testing::error_of;
using testing::RankFolder;
using testing::RecordCounts;
using Ids = std::vector<int32_t>;

constexpr const char* kSpecials = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";  // ids 0 to 4
constexpr int32_t kUnknown = 1;

// A folder with a vocabulary and, when it is not empty, a tokenizer_config.json.
struct Folder : RankFolder {
  explicit Folder(const std::string& vocabulary, const std::string& config = "") {
    testing::write_bytes(path / "vocab.txt", vocabulary);
    if (!config.empty()) testing::write_bytes(path / "tokenizer_config.json", config);
  }
  std::string error() const {
    return error_of([&] { load_tokenizer(path); });
  }
};

// The specials, then these pieces from id 5 on.
std::shared_ptr<const Tokenizer> with_pieces(const std::string& pieces,
                                             const std::string& config = "") {
  return load_tokenizer(Folder(kSpecials + pieces, config).path);
}

TEST(PieceTrie, LongestMatch) {
  const PieceTrie trie({"a", "abc", "##b", "\xC3\xA9"});
  EXPECT_EQ(trie.longest("abd", PieceTrie::kRoot).id, 0);
  EXPECT_EQ(trie.longest("abd", PieceTrie::kRoot).length, 1u);
  EXPECT_EQ(trie.longest("abcd", PieceTrie::kRoot).id, 1);
  EXPECT_EQ(trie.longest("abcd", PieceTrie::kRoot).length, 3u);
  EXPECT_EQ(trie.longest("x", PieceTrie::kRoot).id, -1);
  EXPECT_EQ(trie.longest("b", *trie.find("##")).id, 2);
  EXPECT_EQ(trie.id("\xC3\xA9"), 3);
  EXPECT_EQ(trie.id("ab"), -1);
  EXPECT_EQ(trie.id("abcd"), -1);
}

TEST(WordPiece, GreedyLongestPieces) {
  const auto tokenizer = with_pieces("un\n##aff\n##able\nunaff\n##a\n##b\n");
  EXPECT_EQ(tokenizer->encode("unaffable"), (Ids{8, 7}));
  EXPECT_EQ(tokenizer->encode("unab"), (Ids{5, 9, 10}));
  EXPECT_EQ(tokenizer->encode("unax un"), (Ids{kUnknown, 5}));  // the whole word is unknown
  EXPECT_EQ(tokenizer->encode("##a"), (Ids{kUnknown, kUnknown, kUnknown}));
  EXPECT_EQ(tokenizer->encode(" \t\n"), Ids{});
}

TEST(WordPiece, PunctuationStandsAlone) {
  const auto tokenizer = with_pieces("a\n!\n$\n\xE2\x80\x94\n");
  EXPECT_EQ(tokenizer->encode("a!!a $a\xE2\x80\x94"
                              "a"),
            (Ids{5, 6, 6, 5, 7, 5, 8, 5}));
}

TEST(WordPiece, ControlCharactersDisappear) {
  const auto tokenizer = with_pieces("ab\n");
  EXPECT_EQ(tokenizer->encode(std::string_view("a\0b a\x7F"
                                               "b a\x0B"
                                               "b",
                                               11)),
            (Ids{5, 5, 5}));
  EXPECT_EQ(tokenizer->encode("a\xC2\xAD"
                              "b a\xEF\xBF\xBD"
                              "b"),
            (Ids{5, 5}));  // soft hyphen, U+FFFD
  EXPECT_EQ(tokenizer->encode("a\xFF"
                              "b a\xE2\x82 ab"),
            (Ids{5, kUnknown, 5}));  // bytes that are not UTF-8
}

TEST(WordPiece, SpecialTokensAreFoundInTheRawText) {
  const auto tokenizer = with_pieces("a\n[\nsep\n]\n");
  EXPECT_EQ(tokenizer->encode("a[SEP]a[MASK]"), (Ids{5, 3, 5, 4}));
  EXPECT_EQ(tokenizer->encode("[sep]"), (Ids{6, 7, 8}));
  EXPECT_EQ(tokenizer->encode("[[SEP]"), (Ids{6, 3}));
  EXPECT_EQ(tokenizer->encode("[SE"), (Ids{6, kUnknown}));
}

TEST(WordPiece, WordsOfMoreThanHundredCharacters) {
  const auto tokenizer = with_pieces("a\n##a\n");
  EXPECT_EQ(tokenizer->encode(std::string(100, 'a')).size(), 100u);
  EXPECT_EQ(tokenizer->encode(std::string(101, 'a')), Ids{kUnknown});
  std::string accents;  // 100 characters of two bytes, one after their accents are gone
  for (int i = 0; i < 100; ++i) accents += "\xC3\xA0";
  EXPECT_EQ(tokenizer->encode(accents).size(), 100u);
  EXPECT_EQ(tokenizer->encode(accents + "a"), Ids{kUnknown});
}

TEST(WordPiece, CaseAndAccentOptions) {
  const std::string pieces = "a\nA\n\xC3\xA0\n\xC3\x80\n";  // 5 a, 6 A, 7 a grave, 8 A grave
  const std::string text = "a A \xC3\xA0 \xC3\x80";
  const auto ids = [&](const char* config) { return with_pieces(pieces, config)->encode(text); };
  EXPECT_EQ(ids(R"({"do_lower_case": true})"), (Ids{5, 5, 5, 5}));
  EXPECT_EQ(ids(R"({"do_lower_case": true, "strip_accents": null})"), (Ids{5, 5, 5, 5}));
  EXPECT_EQ(ids(R"({"do_lower_case": false})"), (Ids{5, 6, 7, 8}));
  EXPECT_EQ(ids(R"({"do_lower_case": true, "strip_accents": false})"), (Ids{5, 5, 7, 7}));
  EXPECT_EQ(ids(R"({"do_lower_case": false, "strip_accents": true})"), (Ids{5, 6, 5, 6}));
}

// Nothing says whether texts are lowered: the vocabulary does.
TEST(WordPiece, CapitalLettersInTheVocabularyTellTheCase) {
  const auto lower = with_pieces("a\n[unused1]\n"), cased = with_pieces("a\nA\n", "{}");
  EXPECT_EQ(lower->encode("a A"), (Ids{5, 5}));
  EXPECT_TRUE(lower->notes().empty());
  EXPECT_EQ(cased->encode("a A"), (Ids{5, 6}));
  ASSERT_EQ(cased->notes().size(), 1U);
  EXPECT_HAS(cased->notes()[0], "capital letters ('A') and no file has do_lower_case");
  EXPECT_HAS(with_pieces("a\nA\n", R"({"do_lower_case": true})")->notes().at(0),
             "texts are lowered, as do_lower_case says");
}

TEST(WordPiece, EntriesKeepTheirLines) {
  const auto plain = with_pieces("a\nb\n");
  EXPECT_EQ(with_pieces("a\nb\n\n\n")->sha256(), plain->sha256());  // blank at the end
  EXPECT_EQ(load_tokenizer(Folder("\xEF\xBB\xBF" + std::string(kSpecials) + "a\nb").path)->sha256(),
            plain->sha256());
  const auto odd = with_pieces("a\n\nb\na\n\xE2\x80\xA8\nc");  // 6 empty, 8 again, 9 U+2028
  EXPECT_EQ(odd->encode("a b c"), (Ids{8, 7, 10}));
  EXPECT_EQ(odd->vocabulary_size(), 11);
  EXPECT_HAS(odd->notes().at(0), "2 entries of its vocabulary are empty or stand there again");
}

std::string tokenizer_json(const std::string& normalizer, const std::string& pieces) {
  return R"({"added_tokens": [{"id": 3, "content": "[SEP]"}], "normalizer": )" + normalizer +
         R"(, "pre_tokenizer": {"type": "BertPreTokenizer"}, "model": {"type": "WordPiece",
             "unk_token": "[UNK]", "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3,
             "[MASK]": 4)" +
         pieces + "}}}";
}

TEST(WordPiece, TokenizerJsonIsHonoured) {
  const std::string cased = R"({"type": "BertNormalizer", "lowercase": false})";
  const std::string json = tokenizer_json(cased, R"(, "a": 5, "A": 6)");
  Folder folder(std::string(kSpecials) + "a\nA\n");
  testing::write_bytes(folder.path / "tokenizer.json", json);
  const auto both = load_tokenizer(folder.path);
  EXPECT_EQ(both->encode("a A[SEP]"), (Ids{5, 6, 3}));
  EXPECT_TRUE(both->notes().empty());
  std::filesystem::remove(folder.path / "vocab.txt");
  EXPECT_EQ(load_tokenizer(folder.path)->sha256(), both->sha256());

  testing::write_bytes(folder.path / "tokenizer_config.json", R"({"do_lower_case": true})");
  EXPECT_HAS(folder.error(), "'do_lower_case' is true, tokenizer.json says false");
  testing::write_bytes(folder.path / "tokenizer_config.json", "{}");
  testing::write_bytes(folder.path / "vocab.txt", std::string(kSpecials) + "a\nB\n");
  EXPECT_HAS(folder.error(), "vocab.txt: its token of id 6 is 'B', that of tokenizer.json 'A'");
  std::filesystem::remove(folder.path / "vocab.txt");
  for (const auto& [text, part] :
       {std::pair(tokenizer_json(R"({"type": "NFC"})", ""), "normalizer: \"NFC\" is not supported"),
        std::pair(tokenizer_json(cased, R"(, "a": 7)"), "'a' has the id 7, expected 0 to 5"),
        std::pair(std::string(R"({"model": {"type": "Unigram"}})"),
                  "\"Unigram\", is not supported"),
        std::pair(
            std::string(R"({"model": {"type": "WordPiece", "max_input_chars_per_word": 50}})"),
            "model.max_input_chars_per_word: 50 is not supported, only 100")}) {
    testing::write_bytes(folder.path / "tokenizer.json", text);
    EXPECT_HAS(folder.error(), part);
  }
}

// What would change ids and is not supported, in any file of the folder.
TEST(WordPiece, FurtherFilesAreHonouredOrRefused) {
  const auto error = [](const char* name, const std::string& content) {
    const Folder folder(kSpecials, R"({"unk_token": "[UNK]"})");
    testing::write_bytes(folder.path / name, content);
    return folder.error();
  };
  EXPECT_HAS(error("special_tokens_map.json", R"({"unk_token": "[MASK]"})"),
             "'unk_token' is '[UNK]', special_tokens_map.json says '[MASK]'");
  EXPECT_HAS(error("special_tokens_map.json", R"({"additional_special_tokens": ["[E1]"]})"),
             "the added token '[E1]' is not supported");
  EXPECT_HAS(error("added_tokens.json", R"({"[SEP]": 4})"), "'[SEP]' has the id 4, but another");
  EXPECT_HAS(error("added_tokens.json", R"({"new": 5})"), "the added token 'new' is not supported");
  EXPECT_HAS(error("tokenizer_config.json", R"({"never_split": ["x"]})"), "'never_split'");
  EXPECT_HAS(error("tokenizer_config.json", R"({"tokenizer_class": "BertJapaneseTokenizer"})"),
             "\"BertJapaneseTokenizer\", which is not supported");
  const Folder consistent(kSpecials, R"({"unk_token": "[UNK]"})");
  testing::write_bytes(consistent.path / "special_tokens_map.json", R"({"unk_token": "[UNK]"})");
  testing::write_bytes(consistent.path / "added_tokens.json", R"({"[SEP]": 3})");
  EXPECT_TRUE(load_tokenizer(consistent.path)->notes().empty());
  const auto noted = with_pieces("a\n", R"({"model_max_length": 512, "sp_model_kwargs": {}})");
  EXPECT_HAS(noted->notes().at(0), "not known and not used: sp_model_kwargs");
}

TEST(WordPiece, Ideographs) {
  const std::string pieces = "\xE4\xB8\xAD\n##\xE6\x96\x87\n\xE6\x96\x87\n";
  const std::string text = "\xE4\xB8\xAD\xE6\x96\x87";
  EXPECT_EQ(with_pieces(pieces)->encode(text), (Ids{5, 7}));
  EXPECT_EQ(with_pieces(pieces, R"({"tokenize_chinese_chars": false})")->encode(text), (Ids{5, 6}));
}

TEST(Normalizer, LowerCaseIsPerCodePoint) {
  const BertNormalizerOptions keep{.lower_case = true, .strip_accents = false, .space_cjk = true};
  EXPECT_EQ(normalize_bert("\xCE\x9F\xCE\xA3", keep), "\xCE\xBF\xCF\x83");  // no final sigma
  EXPECT_EQ(normalize_bert("\xC4\xB0", keep), "i\xCC\x87");                 // I with dot: two
  EXPECT_EQ(normalize_bert("\xC4\xB0", {}), "i");
  EXPECT_EQ(normalize_bert("\xE3\x80\x80"
                           "a\xC2\xA0",
                           {}),
            " a ");
}

TEST(Normalizer, CodePointsYoungerThanTheReferenceTables) {
  // U+1DF9 (Unicode 10) is a nonspacing mark, U+2E4F (12) punctuation.
  EXPECT_EQ(normalize_bert("\xE1\xB7\xB9", {}), "\xE1\xB7\xB9");
  EXPECT_FALSE(is_punctuation(0x2E4F));
  EXPECT_TRUE(is_punctuation(0x2E42));  // Unicode 7
}

TEST(Truncation, LongestFirst) {
  using Pair = std::pair<size_t, size_t>;
  EXPECT_EQ(truncate_longest_first(3, 4, 7), Pair(3, 4));
  EXPECT_EQ(truncate_longest_first(3, 9, 7), Pair(3, 4));
  EXPECT_EQ(truncate_longest_first(9, 2, 7), Pair(5, 2));
  EXPECT_EQ(truncate_longest_first(9, 9, 7), Pair(3, 4));  // the first is the "shorter" when equal
  EXPECT_EQ(truncate_longest_first(9, 8, 7), Pair(4, 3));
  EXPECT_EQ(truncate_longest_first(8, 9, 6), Pair(3, 3));
  EXPECT_EQ(truncate_longest_first(5, 0, 3), Pair(3, 0));
  EXPECT_EQ(truncate_longest_first(5, 5, 0), Pair(0, 0));
}

TEST(WordPiece, RowsGetSpecialTokensAndAreCut) {
  const auto tokenizer = with_pieces("a\nb\n");
  const std::string_view b = "b b b b";
  const Encoding pair = tokenizer->encode_row("a a a", &b, 8);
  EXPECT_EQ(pair.ids, (Ids{2, 5, 5, 3, 6, 6, 6, 3}));
  EXPECT_EQ(pair.first_segment, 4);
  const Encoding single = tokenizer->encode_row("a a a", nullptr, 4);
  EXPECT_EQ(single.ids, (Ids{2, 5, 5, 3}));
  EXPECT_EQ(single.first_segment, 4);
  const std::string_view empty;
  EXPECT_EQ(tokenizer->encode_row("a", &empty, 8).ids, (Ids{2, 5, 3, 3}));
  EXPECT_EQ(tokenizer->encode_row("a", &b, 3).ids, (Ids{2, 3, 3}));
  EXPECT_HAS(error_of([&] { tokenizer->encode_row("a", &b, 2); }),
             "max_seq_length: 2 leaves no room for the 3 special tokens");
  EXPECT_EQ(tokenizer->second_segment_type(), 1);
  EXPECT_EQ(tokenizer->vocabulary_size(), 7);
}

TEST(WordPiece, VocabularyWithCrLfAndOtherSpecials) {
  const std::string config =
      R"({"unk_token": "<u>", "cls_token": {"content": "<c>", "lstrip": false},
                                 "sep_token": "<s>", "pad_token": "<p>", "mask_token": "<m>"})";
  const auto tokenizer =
      load_tokenizer(Folder("<p>\r\n<u>\r\n<c>\r\n<s>\r\n<m>\r\na", config).path);
  EXPECT_EQ(tokenizer->encode_row("a x<s>", nullptr, 9).ids, (Ids{2, 5, 1, 3, 3}));
}

TEST(WordPiece, IdentityFollowsWhatChangesIds) {
  const auto identity = [](const std::string& pieces, const std::string& config = "") {
    return with_pieces(pieces, config)->sha256();
  };
  EXPECT_EQ(identity("a\nb\n"), identity("a\nb", R"({"do_lower_case": true})"));
  EXPECT_NE(identity("a\nb\n"), identity("b\na\n"));
  EXPECT_NE(identity("a\nb\n"), identity("a\nb\n", R"({"do_lower_case": false})"));
  EXPECT_NE(identity("a\nb\n"), identity("a\nb\n", R"({"strip_accents": false})"));
  EXPECT_NE(identity("a\nb\n"), identity("a\nb\n", R"({"tokenize_chinese_chars": false})"));
}

TEST(WordPiece, WrongFolders) {
  const std::string vocabulary = Folder("[PAD]\n[UNK]\na\n[SEP]\n").error();  // no [CLS], no [MASK]
  EXPECT_HAS(vocabulary, "2 problems:");
  EXPECT_HAS(vocabulary, "vocab.txt: the special token '[CLS]' is missing");
  EXPECT_HAS(vocabulary, "vocab.txt: the special token '[MASK]' is missing");

  const std::string types =
      Folder(kSpecials, R"({"do_lower_case": "yes", "unk_token": 3})").error();
  EXPECT_HAS(types, "tokenizer_config.json: 'do_lower_case' must be true, false or null");
  EXPECT_HAS(types, "tokenizer_config.json: 'unk_token' must be a token");
  EXPECT_HAS(Folder(kSpecials, "{").error(), "tokenizer_config.json: is no JSON");
  EXPECT_HAS(Folder(kSpecials, "[]").error(), "tokenizer_config.json: is no JSON object");
  EXPECT_HAS(Folder(kSpecials, R"({"do_basic_tokenize": false})").error(),
             "'do_basic_tokenize' is false");

  const RankFolder empty;
  EXPECT_HAS(error_of([&] { load_tokenizer(empty.path); }),
             "has no vocabulary: vocab.txt, vocab.json with merges.txt, or tokenizer.json");
  EXPECT_HAS(error_of([&] { load_tokenizer(empty.path / "x"); }), "there is no such folder");
  testing::write_bytes(empty.path / "spiece.model", "");
  EXPECT_HAS(error_of([&] { load_tokenizer(empty.path); }), "SentencePiece's");
  testing::write_bytes(empty.path / "merges.txt", "");
  EXPECT_HAS(error_of([&] { load_tokenizer(empty.path); }), "vocab.json: the file does not exist");
}

TEST(WordPieceParity, EqualsTheReferenceOnEveryRecord) {
  std::ifstream records(testing::test_data("tokenizer/wordpiece.jsonl"));
  const auto tokenizer = load_tokenizer(testing::test_data("tokenizer/wordpiece"));
  const RecordCounts counts = compare_records(*tokenizer, records);
  EXPECT_EQ(counts.texts, 60 + 244);
  EXPECT_EQ(counts.rows, 120);
  EXPECT_EQ(counts.different, 0);
}

}  // namespace
}  // namespace kdbench::tokenizer_test
