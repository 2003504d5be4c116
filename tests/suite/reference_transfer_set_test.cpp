// SPDX-License-Identifier: MIT
// d-lite's rules on real rows: every word and shape that comes out is one that may.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "io/words/penn_words.h"
#include "suite/transfer/transfer_set.h"
#include "tests/io/rank_folder.h"
#include "tests/support/shared_data.h"

namespace kdbench::reference_transfer_set_test {
namespace {

using testing::RankFolder;

struct Made {
  GlueFile source, set;
  TransferCounts counts;
};

Made make(const std::filesystem::path& root, const std::string& name, int64_t limit,
          const RankFolder& folder) {
  const Control world(MPI_COMM_WORLD);
  const Task& task = find_task(name);
  Made made;
  made.source = read_glue(root, task, "train", limit);
  const SourceRows rows = source_rows(made.source, task.pair(), nullptr, {}, world);
  const auto path = folder.path / "set.tsv";
  made.counts = write_transfer_set(rows, {}, set_layout(task), path, world);
  MPI_Barrier(MPI_COMM_WORLD);
  made.set = read_rows(path, task, set_layout(task));
  MPI_Barrier(MPI_COMM_WORLD);
  return made;
}

std::set<std::string> vocabulary(const GlueFile& file) {
  std::set<std::string> words{"[MASK]"};
  for (const auto& row : file.rows) {
    for (const auto* text : {&row.text_a, &row.text_b}) {
      for (const auto& word : penn_words(*text)) words.insert(word);
    }
  }
  return words;
}

std::string joined_words(const std::string& text) {
  std::string line;
  for (const auto& word : penn_words(text)) line += (line.empty() ? "" : " ") + word;
  return line;
}

// The words of every text are among those of the training rows, and no text is there twice.
void expect_sound(const Made& made) {
  const auto words = vocabulary(made.source);
  std::set<std::string> seen;
  for (const auto& row : made.source.rows)
    seen.insert(joined_words(row.text_a) + "\t" + joined_words(row.text_b));
  for (const auto& row : made.set.rows) {
    EXPECT_TRUE(seen.insert(row.text_a + "\t" + row.text_b).second) << row.text_a;
    for (const auto* text : {&row.text_a, &row.text_b}) {
      for (size_t begin = 0; begin < text->size();) {
        const size_t end = std::min(text->find(' ', begin), text->size());
        ASSERT_TRUE(words.contains(text->substr(begin, end - begin))) << *text;
        begin = end + 1;
      }
    }
  }
  EXPECT_EQ(made.counts.rows_out, static_cast<int64_t>(made.set.rows.size()));
}

TEST(ReferenceTransferSet, OfSst2) {
  KDBENCH_NEED_SHARED(root, "data/glue");
  const RankFolder folder;
  const Made made = make(root, "SST-2", 5000, folder);
  expect_sound(made);
  EXPECT_EQ(made.counts.rows_in, 5000);
  EXPECT_GT(made.counts.rows_out, 5000 * 8);
}

TEST(ReferenceTransferSet, OfMrpc) {
  KDBENCH_NEED_SHARED(root, "data/glue");
  const RankFolder folder;
  const Made made = make(root, "MRPC", 0, folder);
  expect_sound(made);
  EXPECT_EQ(made.counts.rows_in, 3668);
  const auto drawn = [&](Variation v) {
    return static_cast<double>(made.counts.drawn[static_cast<size_t>(v)]) / 36680;
  };
  for (const Variation sides : {Variation::kOnlyA, Variation::kOnlyB, Variation::kBoth})
    EXPECT_NEAR(drawn(sides), 1.0 / 3, 0.012);
}

}  // namespace
}  // namespace kdbench::reference_transfer_set_test
