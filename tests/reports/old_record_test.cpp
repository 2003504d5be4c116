// SPDX-License-Identifier: MIT
// Records of schema_version 1, which held the whole experiment, are read without its methods and
// stand in the same tables as newer ones.
#include "reports/old_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/comparison.h"
#include "reports/run_files.h"
#include "tests/support/mutation.h"
#include "tests/support/source_folders.h"
#include "tests/support/temp_folder.h"

namespace kdbench {
namespace {

using nlohmann::json;
using testing::kOldRecord;
using testing::read_text;
using testing::TempFolder;

TEST(OldRecord, TheMethodsAreCutOut) {
  const auto cut = [](const std::string& text) { return without_whole_experiment(text); };
  EXPECT_EQ(
      cut(R"({"config": {"methods": [{"a": "]}\"["}, [1]], "name": "x"}, "schema_version": 1})"),
      R"({"config": {"methods":[], "name": "x"}, "schema_version": 1})");
  EXPECT_EQ(cut("{\"schema_version\":1,\n \"config\" : {\"name\":\"x\",\"methods\":[1,2]}\n}"),
            "{\"schema_version\":1,\n \"config\" : {\"name\":\"x\",\"methods\":[]}\n}");
}

TEST(OldRecord, AnyOtherTextStaysAsItIs) {
  for (const std::string text :
       {R"({"config": {"methods": [1]}, "schema_version": 2})",
        R"({"config": {"methods": [1]}, "schema_version": 12})",
        R"({"config": {"methods": [1]}, "schema_version": "1"})", R"({"config": {"methods": [1]}})",
        R"({"config": null, "schema_version": 1})",
        R"({"config": {}, "methods": [1], "schema_version": 1})",
        R"({"a": {"config": {"methods": [1]}}, "schema_version": 1})",
        R"({"config": {"methods": [1]})", R"({"config": {"methods")", R"({"config)", R"({")", "{",
        "", "[1]", "\"", "\\"}) {
    EXPECT_EQ(without_whole_experiment(text), text);
  }
}

// A student's record of two methods as kdbench wrote it before version 2.
std::string stored() { return read_text(kOldRecord); }

TEST(OldRecord, AStoredOneIsRead) {
  const TempFolder folder;
  folder.write("exp/run/run.json", stored());
  const json run = read_runs({folder.path()}).at(0);
  json expected = json::parse(stored());
  ASSERT_EQ(expected["schema_version"], 1);
  ASSERT_EQ(expected["config"]["methods"].size(), 2U);
  expected["config"]["methods"] = json::array();
  expected["folder"] = (folder / "exp/run").string();
  EXPECT_EQ(run, expected);
}

TEST(OldRecord, RunsOfBothVersionsAreOneRow) {
  const TempFolder folder;
  folder.write("exp/old/run.json", stored());
  json newer = json::parse(stored());
  newer["schema_version"] = 2;
  newer["seed"] = 2;
  newer["inputs"]["seed"] = 2;
  json& config = newer["config"];
  config["data"]["tasks"].erase(1);
  config["methods"].erase(0);
  config["teacher"]["train"].erase("MNLI");
  folder.write("exp/new/run.json", newer.dump());
  const Table table = comparison_table(read_runs({folder.path()}));
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_EQ(table.rows[0][2].text, "kd");
  EXPECT_EQ(table.header[5].name, "n");
  EXPECT_EQ(table.rows[0][5].value, 2.0);
}

TEST(OldRecord, ADamagedOneIsReadOrRefused) {
  const TempFolder folder;
  const auto file = folder.write("exp/run/run.json", stored());
  testing::expect_reads_or_refuses(stored(), file, 1000, [&] { read_runs({folder.path()}); });
}

}  // namespace
}  // namespace kdbench
