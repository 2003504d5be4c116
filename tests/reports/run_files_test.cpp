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

// Runs of which little is left, and one that is whole.
void write_lost_records(const testing::TempFolder& folder) {
  auto changed = testing::made_up_run("RTE", "kd", 1, testing::dev_scores(1, 1), 1);
  changed["record_sha256"] = record_sha256(changed);
  changed["seed"] = 2;
  folder.write("exp/a/run.json", "{");
  folder.write("exp/b/run.json", "");
  folder.write("exp/c/run.json", "[1]");
  folder.write("exp/d/run.json", changed.dump());
  folder.write("exp/e-0.5/events.jsonl", "");
  folder.write("exp/f/run.json", std::string(100'000, '['));
  folder.write("exp/g.partial/run.json", "{");
  folder.write("exp/h/run.json", any_run());
}

TEST(ReadRuns, RefusesAllThatCannotBeRead) {
  const testing::TempFolder folder;
  EXPECT_THAT(refusal({folder / "nothing"}), HasSubstr("nothing: no such folder"));
  EXPECT_THAT(refusal({folder.path()}), HasSubstr("no run (run.json) in it"));
  write_lost_records(folder);
  folder.write("newer/run.json", R"({"schema_version": 99})");
  const std::string text = refusal({folder.path()});
  for (const char* part :
       {"8 problems", "a/run.json: is no JSON: parse error at line 1, column 2",
        "b/run.json: is no JSON", "c/run.json: is no JSON object",
        "d/run.json: is damaged: it is not what was written", "e-0.5/run.json: is missing",
        "f/run.json: is nested too deeply", "g.partial/run.json: is no JSON",
        "newer/run.json: schema_version 99 is newer than this program's 2"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(ReadRuns, ListsRunsWithoutARecord) {
  const testing::TempFolder folder;
  write_lost_records(folder);
  const auto runs = read_runs({folder.path()}, LostRecords::kList);
  ASSERT_EQ(runs.size(), 8U);
  for (size_t i = 0; i < 7; ++i) EXPECT_EQ(runs[i]["status"], kDamaged);
  EXPECT_EQ(runs[3]["run_id"], "d");
  EXPECT_EQ(runs[3]["experiment"], "exp");
  EXPECT_EQ(runs[3]["folder"], (folder / "exp/d").string());
  EXPECT_EQ(runs[3]["reason"],
            "run.json is damaged: it is not what was written (delete its folder: the next run "
            "makes it again)");
  EXPECT_EQ(runs[4]["run_id"], "e-0.5");
  EXPECT_EQ(runs[6]["run_id"], "g");
  EXPECT_EQ(runs[7]["status"], "done");
  // Not lost: another program can read it.
  folder.write("newer/run.json", R"({"schema_version": 99})");
  EXPECT_THROW(read_runs({folder.path()}, LostRecords::kList), Error);
}

TEST(ReadRunJson, OfALostRecordIsEmpty) {
  const testing::TempFolder folder;
  write_lost_records(folder);
  for (const char* run : {"a", "b", "c", "d", "e-0.5", "f"})
    EXPECT_TRUE(read_run_json(folder / "exp" / run).empty()) << run;
  EXPECT_EQ(read_run_json(folder / "exp/h")["seed"], 1);
}

}  // namespace
}  // namespace kdbench::run_files_test
