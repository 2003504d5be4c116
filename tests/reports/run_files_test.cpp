// SPDX-License-Identifier: MIT
#include "reports/run_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/base/error.h"
#include "tests/reports/made_up_run.h"
#include "tests/support/temp_folder.h"
#include "tests/support/user_error.h"

namespace kdbench::run_files_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string any_run() {
  return testing::made_up_run("RTE", "kd", 1, testing::dev_scores(1, 1), 1).dump();
}

std::string refusal(const std::vector<fs::path>& folders) {
  return testing::user_error_of([&] { read_runs(folders); });
}

TEST(ReadRuns, FindsEachRunOnceAndSkipsStages) {
  const testing::TempFolder folder;
  folder.write("exp/b/run.json", any_run());
  folder.write("exp/a/run.json", any_run());
  folder.write("exp/a/model/run.json", any_run());
  folder.write(".stages/0123/run.json", any_run());
  folder.write("exp/report.partial/report.md", "");
  fs::create_directory_symlink(folder.path(), folder / "exp/circle");
  const auto runs = read_runs({folder.path()});
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0]["folder"], (folder / "exp/a").string());
  EXPECT_EQ(runs[1]["folder"], (folder / "exp/b").string());
  EXPECT_EQ(read_runs({folder / "exp/a", folder / "exp"}).size(), 2U);
  EXPECT_EQ(read_runs({folder / "exp/b"}).size(), 1U);
}

TEST(ReadRuns, WhatAKilledRunLeftIsStopped) {
  const testing::TempFolder folder;
  auto killed = testing::made_up_run("RTE", "kd", 7, {}, 1);
  killed["status"] = "running";
  folder.write("exp/a.partial/run.json", killed.dump());
  folder.write("exp/b.partial/events.jsonl", "");
  auto stopped = testing::made_up_run("RTE", "kd", 8, {}, 1);
  stopped["status"] = "stopped";
  stopped["reason"] = "signal 15";
  folder.write("exp/c.partial/run.json", stopped.dump());
  const auto runs = read_runs({folder.path()});
  ASSERT_EQ(runs.size(), 3U);
  for (const auto& run : runs) EXPECT_EQ(run["status"], "stopped");
  EXPECT_EQ(runs[0]["seed"], 7);
  EXPECT_EQ(runs[0]["reason"], "not finished: it was killed, or is still under way");
  EXPECT_EQ(runs[1]["run_id"], "b");
  EXPECT_EQ(runs[1]["experiment"], "exp");
  EXPECT_EQ(runs[2]["reason"], "signal 15");
}

TEST(ReadRuns, ListsAllThatCannotBeRead) {
  const testing::TempFolder folder;
  EXPECT_THAT(refusal({folder / "nothing"}), HasSubstr("nothing: no such folder"));
  EXPECT_THAT(refusal({folder.path()}), HasSubstr("no run (run.json) in it"));
  folder.write("a/run.json", "{");
  folder.write("b/run.json", R"({"schema_version": 99})");
  folder.write("c/run.json", "[1]");
  folder.write("d/run.json", any_run());
  const std::string text = refusal({folder.path()});
  EXPECT_THAT(text, HasSubstr("3 problems"));
  EXPECT_THAT(text, HasSubstr("a/run.json: cannot be read as JSON"));
  EXPECT_THAT(text, HasSubstr("b/run.json: schema_version 99 is newer than this program's 2"));
  EXPECT_THAT(text, HasSubstr("c/run.json: has no schema_version"));
}

}  // namespace
}  // namespace kdbench::run_files_test
