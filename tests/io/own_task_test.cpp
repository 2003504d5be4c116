// SPDX-License-Identifier: MIT
// A task of the user's own: columns by their names in any order, labels of any number, scores of
// any range.
#include "io/tasks/own_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "io/tasks/glue.h"
#include "tests/io/rank_folder.h"

namespace kdbench::own_task_test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;

OwnTask tickets() {
  return {.name = "tickets",
          .columns = {"body", "", "team"},
          .labels = {"billing", "bugs", "Bugs", "other"},
          .positive = "bugs",
          .metrics = {Metric::kF1, Metric::kAccuracy}};
}

// A data root with one file of the task.
struct Root : testing::RankFolder {
  Root(const std::string& split, const std::string& bytes) {
    fs::create_directories(path / "tickets");
    testing::write_bytes(path / "tickets" / (split + ".tsv"), bytes);
  }
};

GlueFile read(const OwnTask& own, const std::string& split, const std::string& bytes) {
  const Root root(split, bytes);
  return read_glue(root.path, make_task(own), split);
}

std::string error(const OwnTask& own, const std::string& split, const std::string& bytes) {
  return error_of([&] { read(own, split, bytes); });
}

TEST(OwnTask, ColumnsAreFoundByTheirNames) {
  for (const char* text :
       {"team\tbody\nbugs\tit fails\n", "no\tbody\tx\tteam\r\n7\tit fails\t\tbugs\r\n"}) {
    const GlueFile file = read(tickets(), "train", text);
    ASSERT_EQ(file.rows.size(), 1u);
    EXPECT_EQ(file.rows[0].text_a, "it fails");
    EXPECT_EQ(file.rows[0].text_b, "");
    EXPECT_EQ(file.rows[0].label, "bugs");
  }
  OwnTask pairs = tickets();
  pairs.columns.text_b = "answer";
  EXPECT_TRUE(make_task(pairs).pair());
  EXPECT_FALSE(make_task(tickets()).pair());
  EXPECT_EQ(read(pairs, "dev", "answer\tteam\tbody\nyes\tother\tno\n").rows[0].text_b, "yes");
}

TEST(OwnTask, TestRowsMayHaveNoLabels) {
  EXPECT_EQ(read(tickets(), "test", "body\nit fails\n").rows[0].label, "");
  EXPECT_EQ(read(tickets(), "test", "body\tteam\nit fails\tbugs\n").rows[0].label, "bugs");
  EXPECT_THAT(error(tickets(), "dev", "body\nit fails\n"),
              AllOf(HasSubstr("dev.tsv:1: the header has no column 'team'"), HasSubstr("body")));
}

TEST(OwnTask, WrongFilesAreNamed) {
  EXPECT_THAT(error(tickets(), "train", "text\tlabel\na\tb\n"),
              AllOf(HasSubstr("no column 'body'"), HasSubstr("no column 'team'"),
                    HasSubstr("its columns, separated by tabs: text, label")));
  EXPECT_THAT(error(tickets(), "train", "body,team\na,bugs\n"),
              HasSubstr("its columns, separated by tabs: body,team"));
  EXPECT_THAT(error(tickets(), "train", "body\tteam\tbody\na\tbugs\tb\n"),
              HasSubstr("more than one column 'body'"));
  EXPECT_THAT(error(tickets(), "train", "body\tteam\na\tbugs\tmore\n"),
              HasSubstr("train.tsv:2: 3 cells instead of 2"));
  EXPECT_THAT(error(tickets(), "train", "body\tteam\na\tBUGS\n"),
              HasSubstr("the label 'BUGS' is none of billing, bugs, Bugs, other"));
  EXPECT_THAT(error(tickets(), "train", ""), HasSubstr("the file is empty"));
  EXPECT_THAT(error(tickets(), "train", "body\tteam\n"), HasSubstr("the file has no rows"));
}

TEST(OwnTask, ScoresHaveAnyRange) {
  OwnTask scores = tickets();
  scores.labels.clear();
  scores.metrics = {Metric::kPearson};
  EXPECT_TRUE(make_task(scores).regression());
  EXPECT_EQ(read(scores, "train", "body\tteam\na\t-17.5\n").rows[0].label, "-17.5");
  for (const char* wrong : {"nan", "inf", "bugs", "", "1,5"}) {
    EXPECT_THAT(error(scores, "train", std::string("body\tteam\na\t") + wrong + "\n"),
                HasSubstr("is no number"));
  }
}

// A label that is written like another one but for its case is itself.
TEST(OwnTask, LabelsAreThemselvesFirst) {
  const Task task = make_task(tickets());
  EXPECT_EQ(*task.label_of("bugs"), "bugs");
  EXPECT_EQ(*task.label_of("Bugs"), "Bugs");
  EXPECT_EQ(*task.label_of("BILLING"), "billing");
  EXPECT_EQ(task.classes(), 4);
}

TEST(OwnTask, DeclarationIsTheTask) {
  EXPECT_TRUE(declaration(find_task("RTE")).is_null());
  const nlohmann::json declared = declaration(make_task(tickets()));
  const auto task = declared_task(declared, "run.json");
  EXPECT_EQ(declaration(*task), declared);
  EXPECT_EQ(task->name, "tickets");
  EXPECT_EQ(task->labels, tickets().labels);
  EXPECT_EQ(task->selection, std::vector<Metric>{Metric::kF1});
  for (
      const char* wrong :
      {"{}", "[]", "7", R"({"name": 3})",
       R"({"name":"a","text_a":"a","text_b":"","label":"b","labels":[],"positive":"","metrics":["x"]})"}) {
    EXPECT_THAT(error_of([&] { declared_task(nlohmann::json::parse(wrong), "run.json"); }),
                HasSubstr("run.json: does not declare a task"));
  }
}

TEST(OwnTask, IsFoundBesideGlues) {
  const OwnTasks own{std::make_shared<const Task>(make_task(tickets()))};
  EXPECT_EQ(&find_task("tickets", own), own.front().get());
  EXPECT_EQ(find_task("RTE", own).name, "RTE");
  EXPECT_THAT(error_of([&] { find_task("ticket", own); }), HasSubstr("did you mean 'tickets'?"));
}

}  // namespace
}  // namespace kdbench::own_task_test
