// SPDX-License-Identifier: MIT
#include "io/stores/prepare.h"

#include <gtest/gtest.h>

#include "io/tokenizers/wordpiece.h"
#include "tests/io/rank_folder.h"

namespace kdbench::prepare_test {
namespace {

using testing::error_of;
using Ids = std::vector<int32_t>;

// [CLS] 2, [SEP] 3, a 5, b 6.
std::unique_ptr<Tokenizer> small_tokenizer() {
  const std::vector<std::string> vocabulary{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"};
  return std::make_unique<WordPiece>(vocabulary, WordPieceOptions(), "vocabulary");
}

TEST(Prepare, SlicesAndThreadsGiveTheSameRows) {
  const auto tokenizer = small_tokenizer();
  GlueFile file{.path = "x/RTE/dev.tsv", .sha256 = "hash", .rows = {}, .short_rows = 0};
  for (int64_t i = 0; i < 7; ++i) {
    std::string text;
    for (int64_t k = 0; k <= i; ++k) text += "a ";
    file.rows.push_back({2 * i, text, "b", i % 2 ? "entailment" : "not_entailment"});
  }
  const Task& task = find_task("RTE");
  const FeatureSlice all = tokenize_rows(*tokenizer, task, file, 0, 7, {8}, 1);
  EXPECT_EQ(all.name, "dev");
  EXPECT_EQ(all.source_sha256, "hash");
  EXPECT_EQ(all.rows(), 7);
  EXPECT_EQ(all.offsets, (std::vector<int64_t>{0, 5, 11, 18, 26, 34, 42, 50}));  // cut at 8
  EXPECT_EQ(all.first_segment, (Ids{3, 4, 5, 6, 6, 6, 6}));
  EXPECT_EQ(all.row_ids, (std::vector<int64_t>{0, 2, 4, 6, 8, 10, 12}));
  EXPECT_EQ(all.labels[1], "entailment");
  EXPECT_EQ(Ids(all.tokens.begin(), all.tokens.begin() + 5), (Ids{2, 5, 3, 6, 3}));
  for (const int threads : {2, 3, 16}) {
    const FeatureSlice same = tokenize_rows(*tokenizer, task, file, 0, 7, {8}, threads);
    EXPECT_EQ(same.tokens, all.tokens);
    EXPECT_EQ(same.offsets, all.offsets);
    EXPECT_EQ(same.first_segment, all.first_segment);
    EXPECT_EQ(same.row_ids, all.row_ids);
    EXPECT_EQ(same.labels, all.labels);
  }
  const FeatureSlice part = tokenize_rows(*tokenizer, task, file, 2, 4, {8}, 2);
  EXPECT_EQ(part.offsets, (std::vector<int64_t>{0, 7, 15}));
  EXPECT_EQ(part.row_ids, (std::vector<int64_t>{4, 6}));
  EXPECT_EQ(tokenize_rows(*tokenizer, task, file, 3, 3, {8}, 2).offsets, std::vector<int64_t>{0});
}

TEST(Prepare, SingleSentencesAndErrorsOfThreads) {
  const auto tokenizer = small_tokenizer();
  GlueFile file{.path = "test.tsv",
                .sha256 = "",
                .rows = {{0, "a", "", ""}, {1, "a", "", ""}},
                .short_rows = 0};
  const FeatureSlice split = tokenize_rows(*tokenizer, find_task("CoLA"), file, 0, 2, {8}, 2);
  EXPECT_EQ(split.tokens, (Ids{2, 5, 3, 2, 5, 3}));
  EXPECT_TRUE(split.labels.empty());
  EXPECT_HAS(error_of([&] { tokenize_rows(*tokenizer, find_task("CoLA"), file, 0, 2, {1}, 2); }),
             "leaves no room");
}

}  // namespace
}  // namespace kdbench::prepare_test
