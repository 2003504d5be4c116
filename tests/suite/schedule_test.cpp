// SPDX-License-Identifier: MIT
#include "suite/training/schedule.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/test_data.h"

namespace kdbench::schedule_test {
namespace {

TEST(Schedule, ReproducesTheReferenceTables) {
  std::ifstream file(testing::test_data("schedules.jsonl"));
  int tables = 0;
  for (std::string line; std::getline(file, line);) {
    const auto table = nlohmann::json::parse(line);
    if (table["type"] != "linear") continue;
    ++tables;
    const Schedule schedule{"linear", table["base"], table["warmup"], table["total"]};
    ASSERT_EQ(static_cast<int64_t>(table["rates"].size()), schedule.total);
    for (int64_t step = 0; step < schedule.total; ++step) {
      const double expected = table["rates"][step];
      EXPECT_NEAR(schedule.rate(step), expected, 1e-9 * expected)
          << line.substr(0, 60) << " step " << step;
    }
  }
  EXPECT_EQ(tables, 7);
}

TEST(Schedule, WarmsUpThenFalls) {
  const Schedule schedule{"linear", 1.0, 0.1, 30};  // 0.1 * 30 counts as 3
  EXPECT_DOUBLE_EQ(schedule.rate(0), 0.0);
  EXPECT_DOUBLE_EQ(schedule.rate(2), 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(schedule.rate(3), 1.0);
  EXPECT_DOUBLE_EQ(schedule.rate(29), 1.0 / 27.0);
  EXPECT_DOUBLE_EQ(schedule.rate(30), 0.0);
  EXPECT_DOUBLE_EQ(schedule.rate(31), 0.0);
}

TEST(Schedule, WarmUpMayBeEverything) {
  const Schedule schedule{"linear", 1.0, 1.0, 4};
  EXPECT_DOUBLE_EQ(schedule.rate(3), 0.75);
  EXPECT_DOUBLE_EQ(schedule.rate(4), 0.0);
}

TEST(Schedule, ConstantStaysAtItsBase) {
  const Schedule schedule{"constant", 0.5, 0.1, 10};
  EXPECT_DOUBLE_EQ(schedule.rate(0), 0.5);
  EXPECT_DOUBLE_EQ(schedule.rate(100), 0.5);
}

TEST(Schedule, UnknownKindIsALogicError) {
  const Schedule schedule{"cosine", 0.5, 0.1, 10};
  EXPECT_THROW(schedule.rate(0), std::logic_error);
  EXPECT_EQ(known_schedules(), (std::vector<std::string>{"linear", "constant"}));
}

}  // namespace
}  // namespace kdbench::schedule_test
