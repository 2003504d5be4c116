// SPDX-License-Identifier: MIT
// The leaderboard's files: which there are, their rows, values and order.
#include "io/tasks/leaderboard.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/io/rank_folder.h"
#include "tests/support/temp_folder.h"

namespace kdbench::leaderboard_test {
namespace {

using testing::error_of;
using testing::TempFolder;

const LeaderboardFile& file_named(const std::string& name) {
  const auto& files = leaderboard_files();
  return *std::find_if(files.begin(), files.end(), [&](auto& file) { return file.name == name; });
}

TEST(Leaderboard, ElevenFilesOfTheOfficialSizes) {
  std::string text;
  for (const auto& file : leaderboard_files()) {
    text += file.name + " " + std::to_string(file.rows) + "\n";
    EXPECT_EQ(find_task(file.task).split(file.split).name, file.split);
  }
  EXPECT_EQ(text,
            "CoLA.tsv 1063\nSST-2.tsv 1821\nMRPC.tsv 1725\nSTS-B.tsv 1379\nMNLI-m.tsv 9796\n"
            "MNLI-mm.tsv 9847\nQNLI.tsv 5463\nQQP.tsv 390965\nRTE.tsv 3000\nWNLI.tsv 146\n"
            "AX.tsv 1104\n");
}

TEST(Leaderboard, ScoresHaveThreeDecimalsWithinTheScale) {
  const TempFolder folder;
  const auto predictions = folder.write("p.tsv",
                                        "index\tprediction\n0\t3.14159274\n1\t-0.25\n2\t5.00001\n"
                                        "3\t4.9996\n4\t1e-05\n");
  EXPECT_EQ(leaderboard_text(file_named("STS-B.tsv"), predictions, true),
            "index\tprediction\n0\t3.142\n1\t0.000\n2\t5.000\n3\t5.000\n4\t0.000\n");
}

TEST(Leaderboard, LabelsAreThoseOfTheTask) {
  const TempFolder folder;
  const auto yes = folder.write("yes.tsv", "index\tprediction\n0\tentailment\n");
  const auto one = folder.write("one.tsv", "index\tprediction\n0\t1\n");
  for (const char* name : {"MNLI-m.tsv", "MNLI-mm.tsv", "QNLI.tsv", "RTE.tsv", "AX.tsv"}) {
    EXPECT_EQ(leaderboard_text(file_named(name), yes, true), testing::read_text(yes));
    EXPECT_NE(error_of([&] { leaderboard_text(file_named(name), one, true); }), "");
  }
  for (const char* name : {"CoLA.tsv", "SST-2.tsv", "MRPC.tsv", "QQP.tsv", "WNLI.tsv"}) {
    EXPECT_EQ(leaderboard_text(file_named(name), one, true), testing::read_text(one));
    EXPECT_HAS(error_of([&] { leaderboard_text(file_named(name), yes, true); }),
               "yes.tsv:2: expected index 0 and 0 or 1");
  }
}

TEST(Leaderboard, RowsMustBeInOrderAndAllThere) {
  const TempFolder folder;
  const auto refusal = [&](const std::string& rows, bool any_size) {
    const auto predictions = folder.write("p.tsv", rows);
    return error_of([&] { leaderboard_text(file_named("WNLI.tsv"), predictions, any_size); });
  };
  EXPECT_HAS(refusal("index\tprediction\n0\t1\n2\t1\n", true), "p.tsv:3: expected index 1");
  EXPECT_HAS(refusal("index\tprediction\n0\t1\t1\n", true), "p.tsv:2: expected index 0");
  EXPECT_HAS(refusal("id\tprediction\n0\t1\n", true), "p.tsv:1: expected the header");
  EXPECT_HAS(refusal("", true), "p.tsv:1: expected the header");
  EXPECT_HAS(refusal("index\tprediction\n0\t1\n", false),
             "has 1 rows, the leaderboard's WNLI.tsv must have 146");
}

TEST(Leaderboard, MissingTasksAreFilled) {
  const std::string text = filled_text(file_named("WNLI.tsv"));
  EXPECT_EQ(text.substr(0, 25), "index\tprediction\n0\t0\n1\t0\n");
  EXPECT_EQ(text.substr(text.size() - 6), "145\t0\n");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 147);
  EXPECT_EQ(fill_value(file_named("STS-B.tsv")), "0.000");
  EXPECT_EQ(fill_value(file_named("QNLI.tsv")), "entailment");
  EXPECT_EQ(fill_value(file_named("AX.tsv")), "contradiction");
}

}  // namespace
}  // namespace kdbench::leaderboard_test
