// SPDX-License-Identifier: MIT
// The synthetic corpora as files: the same bytes everywhere, GLUE's layout, labels in balance, no
// row twice, no word outside the vocabulary.
#include "io/synthetic/synthetic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "io/base/sha256.h"
#include "io/base/text.h"
#include "io/tasks/glue.h"
#include "io/tokenizers/tokenizer.h"
#include "tests/support/temp_folder.h"

namespace kdbench::synthetic_test {
namespace {

using ::testing::ElementsAre;

SyntheticSettings small() {
  SyntheticSettings settings;
  settings.train_rows = 300;
  settings.dev_rows = 90;
  settings.test_rows = 30;
  return settings;
}

int64_t rows_of(const std::string& split) {
  return split == "train" ? 300 : split.starts_with("dev") ? 90 : 30;
}

std::string digest(const std::string& task, const SyntheticSettings& settings) {
  Sha256 all;
  for (const auto& file : make_synthetic_files(task, settings)) {
    all.update(file.split + "\n" + file.content);
  }
  return all.hex().substr(0, 16);
}

// A change here needs a new kSyntheticVersion.
TEST(Synthetic, TheSameBytesEverywhere) {
  ASSERT_EQ(kSyntheticVersion, 1);
  std::map<std::string, std::string> digests;
  for (const auto& task : synthetic_tasks()) digests[task] = digest(task, {});
  EXPECT_EQ(digests, (std::map<std::string, std::string>{{"CoLA", "58c08e39e352bddd"},
                                                         {"MNLI", "288484da976f7a3a"},
                                                         {"MRPC", "ee9fbb9a6f7e9ea0"},
                                                         {"SST-2", "62d926e8b35c1c48"},
                                                         {"STS-B", "007a0c4fea497279"}}));
  EXPECT_EQ(sha256(joined(synthetic_vocabulary(), "\n")).substr(0, 16), "b47aaf8567336285");
}

TEST(Synthetic, TheSeedMakesTheDifference) {
  SyntheticSettings other = small();
  other.seed = 2;
  for (const auto& task : synthetic_tasks()) {
    EXPECT_EQ(digest(task, small()), digest(task, small()));
    EXPECT_NE(digest(task, small()), digest(task, other));
  }
}

TEST(Synthetic, EvaluationRowsDoNotDependOnTheTrainingRows) {
  SyntheticSettings more = small();
  more.train_rows = 400;
  const auto first = make_synthetic_files("MNLI", small());
  const auto second = make_synthetic_files("MNLI", more);
  ASSERT_EQ(first.size(), 5U);
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].split, second[i].split);
    EXPECT_EQ(first[i].content == second[i].content, first[i].split != "train");
  }
}

TEST(Synthetic, OneCorpusForEachFormat) {
  EXPECT_THAT(synthetic_tasks(), ElementsAre("CoLA", "SST-2", "MRPC", "STS-B", "MNLI"));
}

class SyntheticFolder : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { write_synthetic(folder_.path(), small()); }
  GlueFile read(const std::string& split) const { return read_glue(folder_.path(), task_, split); }

  const Task& task_ = find_task(GetParam());
  testing::TempFolder folder_;
};

TEST_P(SyntheticFolder, ReadsAsGlueWithLabelsInBalance) {
  for (const auto& split : task_.splits) {
    if (split.name == "diagnostic") continue;  // there is none
    const GlueFile file = read(split.name);
    ASSERT_EQ(static_cast<int64_t>(file.rows.size()), rows_of(split.name)) << split.name;
    std::map<std::string, int64_t> counts;
    for (const auto& row : file.rows) {
      EXPECT_FALSE(row.text_a.empty());
      EXPECT_EQ(row.text_b.empty(), !task_.pair());
      ++counts[row.label];
    }
    if (split.layout.label < 0 || task_.regression()) continue;
    ASSERT_EQ(counts.size(), task_.labels.size());
    for (const auto& label : task_.labels) {
      EXPECT_EQ(counts[label] * task_.classes(), rows_of(split.name)) << split.name << " " << label;
    }
  }
}

TEST_P(SyntheticFolder, NoRowOccursTwice) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto& split : task_.splits) {
    if (split.name == "diagnostic") continue;  // there is none
    for (const auto& row : read(split.name).rows) {
      EXPECT_TRUE(seen.emplace(row.text_a, row.text_b).second)
          << split.name << ": " << row.text_a << " / " << row.text_b;
    }
  }
}

TEST_P(SyntheticFolder, EveryWordIsInTheVocabulary) {
  const auto tokenizer = load_tokenizer(folder_.path());
  EXPECT_EQ(tokenizer->vocabulary_size(), static_cast<int64_t>(synthetic_vocabulary().size()));
  for (const auto& row : read("train").rows) {
    const std::string text = row.text_a + " " + row.text_b;
    const auto words = std::count(text.begin(), text.end(), ' ') + (row.text_b.empty() ? 0 : 1);
    const auto ids = tokenizer->encode(text);
    EXPECT_EQ(static_cast<int64_t>(ids.size()), words) << text;
    EXPECT_EQ(std::count(ids.begin(), ids.end(), 1), 0) << text;  // [UNK]
  }
}

INSTANTIATE_TEST_SUITE_P(EveryTask, SyntheticFolder, ::testing::ValuesIn(synthetic_tasks()),
                         [](const auto& name) {
                           std::string letters = name.param;
                           std::erase(letters, '-');
                           return letters;
                         });

// Annotators err in training rows alone, in labels alone.
TEST(Synthetic, NoiseIsInTrainingLabels) {
  SyntheticSettings noisy = small();
  noisy.label_noise = 20;
  for (const auto& task : synthetic_tasks()) {
    const auto exact = make_synthetic_files(task, small()),
               wrong = make_synthetic_files(task, noisy);
    for (size_t i = 0; i < exact.size(); ++i) {
      if (exact[i].split != "train" || task == "STS-B") {
        EXPECT_EQ(exact[i].content, wrong[i].content) << task << " " << exact[i].split;
        continue;
      }
      testing::TempFolder folder;
      const FileLayout& layout = find_task(task).split("train").layout;
      const GlueFile a =
          read_rows(folder.write("a.tsv", exact[i].content), find_task(task), layout);
      const GlueFile b =
          read_rows(folder.write("b.tsv", wrong[i].content), find_task(task), layout);
      ASSERT_EQ(a.rows.size(), b.rows.size());
      int other = 0;
      for (size_t row = 0; row < a.rows.size(); ++row) {
        EXPECT_EQ(a.rows[row].text_a + a.rows[row].text_b, b.rows[row].text_a + b.rows[row].text_b);
        other += a.rows[row].label != b.rows[row].label;
      }
      EXPECT_NEAR(other, 60, 21) << task;  // three deviations of 300 draws
    }
  }
}

}  // namespace
}  // namespace kdbench::synthetic_test
