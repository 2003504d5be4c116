// SPDX-License-Identifier: MIT
#include "io/tokenizers/word_vocabulary.h"

#include <gtest/gtest.h>

#include "tests/io/rank_folder.h"
#include "tests/support/temp_folder.h"

namespace kdbench::word_vocabulary_test {
namespace {

using Ids = std::vector<int32_t>;
using testing::error_of;

std::unique_ptr<Tokenizer> tokenizer_of(const std::string& lines) {
  const testing::TempFolder folder;
  folder.write("vocab.txt", lines);
  return read_tokenizer(folder.path());
}

TEST(WordVocabulary, FirstLinesTellItFromPieces) {
  const auto words = tokenizer_of("<unk>\n<pad>\nbig\nbad\nwolf\n");
  ASSERT_TRUE(words->words());
  EXPECT_EQ(words->words()->at(2), "big");
  EXPECT_EQ(words->vocabulary_size(), 5);
  EXPECT_FALSE(WordVocabulary::is_one({"[PAD]", "[UNK]"}));
  EXPECT_FALSE(WordVocabulary::is_one({"<unk>"}));
}

TEST(WordVocabulary, WordsAreBertsWithoutPieces) {
  const auto words = tokenizer_of("<unk>\n<pad>\nbig\nbad\nwolf\n,\n[MASK]\n");
  EXPECT_EQ(words->encode("Big, b\xC3\xA0"
                          "d wolfs wolf"),
            (Ids{2, 5, 3, 0, 4}));
  EXPECT_EQ(words->encode("big[MASK] [SEP]"), (Ids{2, 6, 0}));
  std::string longer(101, 'a');
  longer += " big";
  EXPECT_EQ(words->encode(longer), (Ids{0, 2}));
}

TEST(WordVocabulary, TextsStandAlone) {
  const auto words = tokenizer_of("<unk>\n<pad>\na\nb\n");
  const std::string_view second = "b b b";
  const Encoding pair = words->encode_apart("a a a", &second, 2);
  EXPECT_EQ(pair.ids, (Ids{2, 2, 3, 3}));
  EXPECT_EQ(pair.first_segment, 2);
  const std::string_view nothing = " ";
  const Encoding empty = words->encode_apart("", &nothing, 5);
  EXPECT_EQ(empty.ids, (Ids{1, 1}));
  EXPECT_EQ(empty.first_segment, 1);
  EXPECT_EQ(words->encode_row("a b a", nullptr, 2).ids, (Ids{2, 3}));
  EXPECT_HAS(error_of([&] { words->encode_row("a", &second, 5); }), "no special tokens");
}

TEST(WordVocabulary, PiecesStandAloneWithTheirSpecialTokens) {
  const auto pieces = tokenizer_of("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n");
  EXPECT_FALSE(pieces->words());
  const std::string_view second = "b";
  const Encoding pair = pieces->encode_apart("a a a", &second, 4);
  EXPECT_EQ(pair.ids, (Ids{2, 5, 5, 3, 2, 6, 3}));
  EXPECT_EQ(pair.first_segment, 4);
  EXPECT_EQ(pieces->encode_apart("", nullptr, 2).ids, (Ids{2, 3}));
  EXPECT_HAS(error_of([&] { pieces->encode_apart("a", nullptr, 1); }), "leaves no room");
}

TEST(WordVocabulary, OfTexts) {
  WordCollector words;
  words.add("The wolf, the [MASK]!");
  words.add("a Wolf");
  words.add(std::string(101, 'b'));
  EXPECT_EQ(words.vocabulary(),
            (std::vector<std::string>{"<unk>", "<pad>", "!", ",", "[MASK]", "a", "the", "wolf"}));
}

TEST(WordVocabulary, IdentityFollowsWordsAndCase) {
  EXPECT_EQ(tokenizer_of("<unk>\n<pad>\na\n")->sha256(), tokenizer_of("<unk>\n<pad>\na")->sha256());
  EXPECT_NE(tokenizer_of("<unk>\n<pad>\na\n")->sha256(),
            tokenizer_of("<unk>\n<pad>\nb\n")->sha256());
  EXPECT_NE(tokenizer_of("<unk>\n<pad>\na\n")->sha256(),
            tokenizer_of("<unk>\n<pad>\nA\n")->sha256());
  EXPECT_HAS(error_of([] { tokenizer_of("<unk>\n<pad>\na\nb\na\n"); }),
             "'a' is there twice, in line 5");
}

}  // namespace
}  // namespace kdbench::word_vocabulary_test
