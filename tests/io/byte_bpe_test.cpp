// SPDX-License-Identifier: MIT
// The pattern and the merges on small cases with literals, folders that are wrong, then
// records of the reference library with a made-up vocabulary.
#include "io/tokenizers/byte_bpe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "io/tokenizers/byte_level.h"
#include "tests/io/rank_folder.h"
#include "tests/io/tokenizer_records.h"
#include "tests/support/test_data.h"
#include "tests/support/tiny_bpe.h"

namespace kdbench::byte_bpe_test {
namespace {

using testing::error_of;
using testing::tiny_bpe;
using Ids = std::vector<int32_t>;
using Words = std::vector<std::string>;

Words words_of(std::string_view text) {
  Words words;
  while (!text.empty()) words.emplace_back(take_word(text));
  return words;
}

int32_t byte(char c) { return 4 + static_cast<unsigned char>(c); }

// --- Bytes and words.

TEST(ByteLevel, BytesHaveSymbols) {
  EXPECT_EQ(symbol_of_byte('a'), "a");
  EXPECT_EQ(symbol_of_byte(' '), "\u0120");
  EXPECT_EQ(symbol_of_byte('\n'), "\u010A");
  EXPECT_EQ(symbol_of_byte(0), "\u0100");
  EXPECT_EQ(symbol_of_byte(0xA0), "\u0142");
  EXPECT_EQ(symbol_of_byte(0xAD), "\u0143");
  EXPECT_EQ(symbol_of_byte(0xE4), "\u00E4");
  EXPECT_EQ(bytes_of_symbols("\u0120the"), " the");
  EXPECT_EQ(bytes_of_symbols("\u0144"), std::nullopt);
  EXPECT_EQ(bytes_of_symbols(" "), std::nullopt);
  for (int b = 0; b < 256; ++b) {
    const auto value = static_cast<unsigned char>(b);
    EXPECT_EQ(bytes_of_symbols(symbol_of_byte(value)), std::string(1, static_cast<char>(value)));
  }
}

TEST(ByteLevel, WordsOfThePattern) {
  EXPECT_EQ(words_of("Hello world, 12 men"), (Words{"Hello", " world", ",", " 12", " men"}));
  EXPECT_EQ(words_of("we'll it's I'D '"), (Words{"we", "'ll", " it", "'s", " I", "'", "D", " '"}));
  EXPECT_EQ(words_of("!'s x's'"), (Words{"!'", "s", " x", "'s", "'"}));
  EXPECT_EQ(words_of("a  b"), (Words{"a", " ", " b"}));
  EXPECT_EQ(words_of("a \n b"), (Words{"a", " \n", " b"}));
  EXPECT_EQ(words_of("a\tb\n\nc"), (Words{"a", "\t", "b", "\n", "\n", "c"}));
  EXPECT_EQ(words_of("a  "), (Words{"a", "  "}));
  EXPECT_EQ(words_of(" "), Words{" "});
  EXPECT_EQ(words_of("\u00E9\u4E2D\u00B2x\u2014\u00A0y"),
            (Words{"\u00E9\u4E2D", "\u00B2", "x", "\u2014", "\u00A0", "y"}));
  EXPECT_EQ(words_of("a\xFF\xE2\x82 b"), (Words{"a", "\xFF\xE2\x82", " b"}));
}

// --- Merges.

TEST(ByteBpe, MergesByRankThenFromTheLeft) {
  const ByteBpe tokenizer(tiny_bpe({{"b", "c"}, {"a", "b"}, {"a", "bc"}, {"a", "a"}}), {});
  EXPECT_EQ(tokenizer.encode("abc"), (Ids{262}));  // bc goes first, then a bc
  EXPECT_EQ(tokenizer.encode("abd"), (Ids{261, byte('d')}));
  EXPECT_EQ(tokenizer.encode("aaa"), (Ids{263, byte('a')}));
  EXPECT_EQ(tokenizer.encode("aab"), (Ids{byte('a'), 261}));
  EXPECT_EQ(tokenizer.encode(" a"), (Ids{byte(' '), byte('a')}));
  EXPECT_EQ(tokenizer.encode(""), Ids{});
}

// The definition, step by step: look at all pairs, merge the first of the lowest rank.
Ids merged_slowly(const MergeTable& table, Ids ids) {
  for (;;) {
    const MergeTable::Merge* best = nullptr;
    size_t place = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto* merge = table.find(ids[i], ids[i + 1]);
      if (!merge || (best && merge->rank >= best->rank)) continue;
      best = merge;
      place = i;
    }
    if (!best) return ids;
    ids[place] = best->id;
    ids.erase(ids.begin() + static_cast<ptrdiff_t>(place) + 1);
  }
}

TEST(Merger, EqualsTheDefinition) {
  std::mt19937 random(5);
  MergeTable table(60);
  for (int32_t id = 4; id < 40; ++id) {
    table.add(static_cast<int32_t>(random() % static_cast<unsigned>(id)),
              static_cast<int32_t>(random() % static_cast<unsigned>(id)), id);
  }
  EXPECT_FALSE(table.add(0, 0, 50) && table.add(0, 0, 51));
  Merger merger(table);
  int64_t merged = 0;
  for (int word = 0; word < 2000; ++word) {
    Ids ids(random() % 40);
    for (auto& id : ids) id = static_cast<int32_t>(random() % 4);
    Ids found = {7, 7};
    found.insert(found.end(), ids.begin(), ids.end());
    merger.merge(found, 2);
    Ids expected = merged_slowly(table, ids);
    merged += static_cast<int64_t>(ids.size() - expected.size());
    expected.insert(expected.begin(), {7, 7});
    EXPECT_EQ(found, expected) << word;
  }
  EXPECT_GT(merged, 5000);
}

TEST(ByteBpe, LongWords) {
  const ByteBpe tokenizer(tiny_bpe({{"a", "a"}, {"aa", "aa"}}), {});
  const Ids ids = tokenizer.encode(std::string(1'000'001, 'a'));
  ASSERT_EQ(ids.size(), 250'001U);
  EXPECT_EQ(ids.front(), 261);
  EXPECT_EQ(ids.back(), byte('a'));
}

// --- Special tokens and rows.

TEST(ByteBpe, SpecialTokensAreFoundInTheRawText) {
  const ByteBpe tokenizer(tiny_bpe({}), {});
  EXPECT_EQ(tokenizer.encode("a<s>b"), (Ids{byte('a'), 0, byte('b')}));
  EXPECT_EQ(tokenizer.encode("a </s> b"), (Ids{byte('a'), byte(' '), 2, byte(' '), byte('b')}));
  EXPECT_EQ(tokenizer.encode("a \t<mask> b"), (Ids{byte('a'), 260, byte(' '), byte('b')}));
  EXPECT_EQ(tokenizer.encode("<s> <mask>"), (Ids{0, 260}));
  EXPECT_EQ(tokenizer.encode("<S>"), (Ids{byte('<'), byte('S'), byte('>')}));
}

TEST(ByteBpe, RowsGetSpecialTokensAndAreCut) {
  const ByteBpe tokenizer(tiny_bpe({}), {});
  const std::string_view b = "bbbb";
  const Encoding pair = tokenizer.encode_row("aaa", &b, 9);
  EXPECT_EQ(pair.ids, (Ids{0, byte('a'), byte('a'), 2, 2, byte('b'), byte('b'), byte('b'), 2}));
  EXPECT_EQ(pair.first_segment, 4);
  const Encoding single = tokenizer.encode_row("aaa", nullptr, 4);
  EXPECT_EQ(single.ids, (Ids{0, byte('a'), byte('a'), 2}));
  EXPECT_EQ(single.first_segment, 4);
  EXPECT_HAS(error_of([&] { tokenizer.encode_row("a", &b, 3); }),
             "max_seq_length: 3 leaves no room for the 4 special tokens");
  EXPECT_EQ(tokenizer.second_segment_type(), 0);
  EXPECT_EQ(tokenizer.vocabulary_size(), 261);
}

// --- Folders.

struct Folder : testing::RankFolder {
  explicit Folder(const BpeVocabulary& vocabulary, const std::string& config = "") {
    testing::write_bpe(path, vocabulary);
    if (!config.empty()) file("tokenizer_config.json", config);
  }
  Folder& file(const std::string& name, const std::string& content) {
    testing::write_bytes(path / name, content);
    return *this;
  }
  std::string error() const {
    return error_of([&] { load_tokenizer(path); });
  }
};

TEST(ByteBpeFiles, OptionsOfTheConfig) {
  const BpeVocabulary vocabulary = tiny_bpe({{"\u0120", "a"}});
  const auto ids = [&](const std::string& config, const std::string& text) {
    return load_tokenizer(Folder(vocabulary, config).path)->encode(text);
  };
  EXPECT_EQ(ids("", "a<s>a"), (Ids{byte('a'), 0, byte('a')}));
  const std::string prefix = R"({"add_prefix_space": true})";
  EXPECT_EQ(ids(prefix, "a<s>a"), (Ids{260, 0, 260}));
  EXPECT_EQ(ids(prefix, " a"), (Ids{260}));
  EXPECT_EQ(ids(prefix, ""), Ids{});
  EXPECT_EQ(ids("", "a <mask> a"), (Ids{byte('a'), 261, 260}));
  EXPECT_EQ(ids(R"({"mask_token": {"content": "<mask>", "lstrip": false, "rstrip": true},
                    "added_tokens_decoder": {"261": {"content": "<mask>", "lstrip": false,
                                                     "rstrip": true, "special": true}}})",
                "a <mask> a"),
            (Ids{byte('a'), byte(' '), 261, byte('a')}));
}

TEST(ByteBpeFiles, WhatWouldChangeIdsIsRefused) {
  const BpeVocabulary vocabulary = tiny_bpe({});
  const auto error = [&](const std::string& config) { return Folder(vocabulary, config).error(); };
  EXPECT_HAS(error(R"({"added_tokens_decoder": {"261": {"content": "<new>"}}})"),
             "tokenizer_config.json: the added token '<new>' is not supported");
  EXPECT_HAS(error(R"({"additional_special_tokens": ["<x>"]})"), "the added token '<x>'");
  EXPECT_HAS(error(R"({"added_tokens_decoder": {"0": {"content": "<s>", "single_word": true}}})"),
             "as a single word");
  EXPECT_HAS(error(R"({"split_special_tokens": true})"), "'split_special_tokens' is true");
  EXPECT_HAS(error(R"({"truncation_side": "left"})"), "'truncation_side' is \"left\"");
  EXPECT_HAS(error(R"({"add_prefix_space": 1})"), "'add_prefix_space' must be true, false or null");
  EXPECT_HAS(error(R"({"sep_token": "</sep>"})"),
             "vocab.json: the special token '</sep>' is missing");
  EXPECT_HAS(Folder(vocabulary).file("added_tokens.json", R"({"<new>": 261})").error(),
             "added_tokens.json: the added token '<new>' is not supported");
}

TEST(ByteBpeFiles, WrongVocabularies) {
  BpeVocabulary vocabulary = tiny_bpe({{"a", "b"}});
  vocabulary.tokens[4 + 'z'] = "zz";
  vocabulary.tokens.back() = "<musk>";
  const std::string missing = Folder(vocabulary).error();
  EXPECT_HAS(missing, "vocab.json: there is no 'z' for the byte 122");
  EXPECT_HAS(missing, "vocab.json: the special token '<mask>' is missing");

  const Folder whole(tiny_bpe({}));
  const auto tokens = [&](const std::string& content) {
    testing::write_bytes(whole.path / "vocab.json", content);
    return whole.error();
  };
  EXPECT_HAS(tokens("{"), "vocab.json: is no JSON: parse error at line 1");
  EXPECT_HAS(tokens("[]"), "vocab.json: is no JSON object");
  EXPECT_HAS(tokens("{}"), "vocab.json: there are no tokens");
  EXPECT_HAS(tokens(R"({"a": 0, "b": 0})"), "vocab.json: 'b' has the id of 'a', 0");
  EXPECT_HAS(tokens(R"({"a": 0, "b": 2})"), "vocab.json: 'b' has the id 2, expected 0 to 1");
  EXPECT_HAS(tokens(R"({"a": 0, "b": -1, "": 1})"), "vocab.json: 'b' has the id -1");
  EXPECT_HAS(tokens(R"({"a": 0, "b": "x"})"), "vocab.json: 'b' has the id \"x\"");
}

TEST(ByteBpeFiles, WrongMerges) {
  Folder folder(tiny_bpe({{"a", "b"}}));
  const auto merges = [&](const std::string& content) {
    return folder.file("merges.txt", content).error();
  };
  const std::string lines = merges("#version: 0.2\na b\nab\na b c\n\n b\n");
  EXPECT_HAS(lines, "3 problems:");
  EXPECT_HAS(lines, "merges.txt:3: expected two tokens with a blank between them, found 'ab'");
  EXPECT_HAS(lines, "merges.txt:6: expected two tokens");
  const std::string unknown = merges("a b\nb a\na b\n");
  EXPECT_HAS(unknown, "merges.txt:2: 'ba' is not in ");
  EXPECT_HAS(unknown, "merges.txt:3: 'a b' is there already");
  std::filesystem::remove(folder.path / "merges.txt");
  EXPECT_HAS(folder.error(), "merges.txt: the file does not exist");
}

TEST(ByteBpeFiles, IdentityFollowsWhatChangesIds) {
  const auto identity = [](const BpeVocabulary& vocabulary, const std::string& config = "") {
    return load_tokenizer(Folder(vocabulary, config).path)->sha256();
  };
  const BpeVocabulary plain = tiny_bpe({{"a", "b"}, {"b", "c"}});
  BpeVocabulary other = plain;
  EXPECT_EQ(identity(plain), identity(other, R"({"add_prefix_space": false})"));
  EXPECT_NE(identity(plain), identity(other, R"({"add_prefix_space": true})"));
  EXPECT_NE(identity(plain), identity(other, R"({"mask_token": {"content": "<mask>"},
                                                 "pad_token": {"content": "<pad>", "lstrip": true}})"));
  std::swap(other.merges[0], other.merges[1]);
  EXPECT_NE(identity(plain), identity(other));
  other = plain;
  std::swap(other.tokens[100], other.tokens[101]);
  EXPECT_NE(identity(plain), identity(other));
}

TEST(ByteBpeParity, EqualsTheReferenceOnEveryRecord) {
  std::ifstream records(testing::test_data("tokenizer/byte_bpe.jsonl"));
  const auto tokenizer = load_tokenizer(testing::test_data("tokenizer/byte_bpe"));
  const auto counts = testing::compare_records(*tokenizer, records);
  EXPECT_EQ(counts.texts, 60 + 244);
  EXPECT_EQ(counts.rows, 120);
  EXPECT_EQ(counts.different, 0);
}

}  // namespace
}  // namespace kdbench::byte_bpe_test
