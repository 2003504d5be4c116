// SPDX-License-Identifier: MIT
// Rows as language models read them, and the text that their ids stand for.
#include <gtest/gtest.h>

#include "io/tokenizers/byte_bpe.h"
#include "io/tokenizers/byte_level.h"
#include "io/tokenizers/tokenizer.h"
#include "io/tokenizers/wordpiece.h"
#include "tests/support/temp_folder.h"
#include "tests/support/user_error.h"

namespace kdbench::text_ids_test {
namespace {

using testing::user_error_of;
using Ids = std::vector<int32_t>;

// Ids 0 .. 255 are the bytes, 256 is "be", 257 ends a text.
ByteBpe bytes_with_end() {
  BpeVocabulary vocabulary;
  for (int byte = 0; byte < 256; ++byte)
    vocabulary.tokens.push_back(symbol_of_byte(static_cast<unsigned char>(byte)));
  vocabulary.tokens.push_back("be");
  vocabulary.tokens.push_back("<|endoftext|>");
  vocabulary.merges.push_back({"b", "e", 1});
  ByteBpeOptions options;
  options.specials = {{"<|endoftext|>"}};
  options.first = options.separator = "";
  return ByteBpe(vocabulary, options);
}

WordPiece pieces() {
  return WordPiece({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "play", "##ing", "we", "."}, {},
                   "here");
}

TEST(TextIds, OneTextEndsWithTheMark) {
  const ByteBpe tokenizer = bytes_with_end();
  const Encoding row = tokenizer.encode_text("to be", nullptr, 10);
  EXPECT_EQ(row.ids, (Ids{'t', 'o', ' ', 256, 257}));
  EXPECT_EQ(row.first_segment, 5);
  EXPECT_EQ(tokenizer.text_of({row.ids.data(), 4}), "to be");
  EXPECT_EQ(tokenizer.encode_text("to be", nullptr, 3).ids, (Ids{'t', 'o', ' '}));
  EXPECT_EQ(tokenizer.encode_text("", nullptr, 3).ids, (Ids{257}));
}

TEST(TextIds, ATabPartsAPairInBytes) {
  const ByteBpe tokenizer = bytes_with_end();
  const std::string_view b = "be";
  const Encoding row = tokenizer.encode_text("\u00E9", &b, 20);
  EXPECT_EQ(row.ids, (Ids{0xC3, 0xA9, ' ', '\t', ' ', 256, 257}));
  EXPECT_EQ(row.first_segment, 4);  // with the tab
  EXPECT_EQ(tokenizer.encode_text("\u00E9", &b, 3).first_segment, 3);
}

TEST(TextIds, ACutFallsBetweenCharacters) {
  const ByteBpe tokenizer = bytes_with_end();
  EXPECT_EQ(tokenizer.encode_text("be", nullptr, 9, 0.0).ids, (Ids{256, 257}));
  EXPECT_EQ(tokenizer.encode_text("be", nullptr, 9, 0.49).ids, (Ids{256, 257}));
  EXPECT_EQ(tokenizer.encode_text("be", nullptr, 9, 0.5).ids, (Ids{'b', 'e', 257}));
  EXPECT_EQ(tokenizer.encode_text("\u00E9be", nullptr, 9, 0.4).ids, (Ids{0xC3, 0xA9, 256, 257}));
}

TEST(TextIds, AMarkPartsAPairOfPieces) {
  const WordPiece tokenizer = pieces();
  const std::string_view b = "we.";
  const Encoding row = tokenizer.encode_text("We playing", &b, 20, 0.5);
  EXPECT_EQ(row.ids, (Ids{7, 5, 6, 3, 7, 8, 3}));
  EXPECT_EQ(row.first_segment, 4);
  EXPECT_EQ(tokenizer.text_of({row.ids.data(), 3}), "we playing");
  EXPECT_EQ(tokenizer.text_of({row.ids.data() + 4, 2}), "we .");
}

// Transformer-XL's words, read from a folder.
TEST(TextIds, WordsOfATransformerXl) {
  const testing::TempFolder folder;
  folder.write("vocab.txt", "<eos>\nthe\n<unk>\nfilm\n,\nthe\n\u00E9t\u00E9\n");
  const auto tokenizer = read_tokenizer(folder.path());
  const std::string_view b = "\u00C9t\u00C9";
  const Encoding row = tokenizer->encode_text(" The  film, it ", &b, 20, 0.5);
  EXPECT_EQ(row.ids, (Ids{1, 2, 2, 0, 6, 0}));
  EXPECT_EQ(row.first_segment, 4);
  EXPECT_EQ(tokenizer->text_of({row.ids.data(), 2}), "the <unk>");
  EXPECT_EQ(tokenizer->text_marks().between, 0);
  EXPECT_EQ(tokenizer->vocabulary_size(), 7);
  EXPECT_EQ(tokenizer->words(), nullptr);
  EXPECT_NE(
      user_error_of([&] { tokenizer->encode_row("a", nullptr, 9); }).find("no special tokens"),
      std::string::npos);
  folder.write("tokenizer_config.json", R"({"do_lower_case": false})");
  EXPECT_EQ(read_tokenizer(folder.path())->encode("The film"), (Ids{2, 3}));
}

TEST(TextIds, AVocabularyWithoutTheMarkIsRefused) {
  BpeVocabulary vocabulary;
  for (int byte = 0; byte < 256; ++byte)
    vocabulary.tokens.push_back(symbol_of_byte(static_cast<unsigned char>(byte)));
  ByteBpeOptions options;
  options.specials.clear();
  options.first = options.separator = "";
  const ByteBpe tokenizer(vocabulary, options);
  EXPECT_NE(
      user_error_of([&] { tokenizer.encode_text("a", nullptr, 9); }).find("no mark that ends"),
      std::string::npos);
}

}  // namespace
}  // namespace kdbench::text_ids_test
