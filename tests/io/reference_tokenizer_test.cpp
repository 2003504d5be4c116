// SPDX-License-Identifier: MIT
// All records of the reference data, made with the real vocabularies.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/io/rank_folder.h"
#include "tests/io/tokenizer_records.h"
#include "tests/support/shared_data.h"

namespace kdbench::reference_tokenizer_test {
namespace {

using testing::error_of;

TEST(ReferenceTokenizers, Bert) {
  KDBENCH_NEED_SHARED(fixture, "fixtures/tokenizer/bert.jsonl");
  KDBENCH_NEED_SHARED(vocabulary, "data/vocab/bert-base-uncased");
  std::ifstream records(fixture);
  const auto counts = testing::compare_records(*load_tokenizer(vocabulary), records);
  EXPECT_EQ(counts.texts, 1500 + 244);
  EXPECT_EQ(counts.rows, 609);
  EXPECT_EQ(counts.different, 0);
}

TEST(ReferenceTokenizers, FolderOfARealModel) {
  KDBENCH_NEED_SHARED(fixture, "fixtures/tokenizer/bert.jsonl");
  KDBENCH_NEED_SHARED(model, "data/minilm-l6-h384");
  KDBENCH_NEED_SHARED(vocabulary, "data/vocab/bert-base-uncased");
  const auto tokenizer = load_tokenizer(model);
  EXPECT_EQ(tokenizer->vocabulary_size(), 30522);
  EXPECT_EQ(tokenizer->sha256(), load_tokenizer(vocabulary)->sha256());
}

TEST(ReferenceTokenizers, Roberta) {
  KDBENCH_NEED_SHARED(fixture, "fixtures/tokenizer/roberta.jsonl");
  KDBENCH_NEED_SHARED(vocabulary, "data/vocab/roberta-base");
  std::ifstream records(fixture);
  const auto tokenizer = load_tokenizer(vocabulary);
  EXPECT_EQ(tokenizer->vocabulary_size(), 50265);
  const auto counts = testing::compare_records(*tokenizer, records);
  EXPECT_EQ(counts.texts, 1500 + 244);
  EXPECT_EQ(counts.rows, 613);
  EXPECT_EQ(counts.different, 0);
}

TEST(ReferenceTokenizers, Gpt2) {
  KDBENCH_NEED_SHARED(fixture, "fixtures/tokenizer/gpt2.jsonl");
  KDBENCH_NEED_SHARED(vocabulary, "data/vocab/gpt2");
  std::ifstream records(fixture);
  const auto tokenizer = load_tokenizer(vocabulary);
  const auto counts = testing::compare_records(*tokenizer, records);
  EXPECT_EQ(counts.texts, 1804);
  EXPECT_EQ(counts.different, 0);
  EXPECT_HAS(error_of([&] { tokenizer->encode_row("a", nullptr, 8); }), "plain ids only");
}

}  // namespace
}  // namespace kdbench::reference_tokenizer_test
