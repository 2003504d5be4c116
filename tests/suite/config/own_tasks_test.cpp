// SPDX-License-Identifier: MIT
// [task.<NAME>] declares tasks of the user's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/tasks/own_task.h"
#include "suite/config/experiment.h"
#include "tests/suite/config/experiment_folder.h"
#include "tests/support/user_error.h"

namespace kdbench::own_tasks_test {
namespace {

using ::testing::AllOf;
using testing::ExperimentFolder;
using ::testing::HasSubstr;
using testing::kExperiment;
using ::testing::Not;

constexpr const char* kTickets = R"([task.tickets]
text_a = "body"
label = "team"
labels = ["billing", "bugs", "other"]
)";

struct Folder : ExperimentFolder {
  Folder() {
    write("data/tickets/train.tsv", "body\tteam\na\tbugs\n");
    write("data/tickets/dev.tsv", "body\tteam\na\tbugs\n");
  }
  Experiment load_with(const std::string& tables,
                       const std::string& task = "data.tasks=[\"tickets\"]") const {
    return load(kExperiment + tables, {task});
  }
  std::string error(const std::string& tables) const {
    return testing::user_error_of([&] { load_with(tables); });
  }
};

TEST(OwnTasks, AreTasksOfTheExperiment) {
  const Folder folder;
  const Experiment experiment = folder.load_with(std::string(kTickets) +
                                                 "[task.tickets.data]\ntrain_limit = 3\n"
                                                 "[task.tickets.train]\nepochs = 7\n");
  const Task& task = experiment.task("tickets");
  EXPECT_EQ(task.labels, (std::vector<std::string>{"billing", "bugs", "other"}));
  EXPECT_EQ(task.metrics, std::vector<Metric>{Metric::kAccuracy});
  EXPECT_EQ(experiment.train_limit_of("tickets"), 3);
  EXPECT_EQ(experiment.train_of("tickets", experiment.methods.front()).epochs, 7);
  EXPECT_EQ(experiment.to_json().at("data").at("tasks").at(0).at("declaration"), declaration(task));
  const Experiment copy = experiment;
  EXPECT_EQ(&copy.task("tickets"), &task);
}

TEST(OwnTasks, AnExperimentHashKnowsTheDeclaration) {
  const Folder folder;
  const auto one = folder.load_with(kTickets).to_json();
  const auto other =
      folder.load_with(std::string(kTickets) + "metrics = [\"matthews\"]\n").to_json();
  EXPECT_NE(one, other);
}

TEST(OwnTasks, ScoresAndPairs) {
  const Folder folder;
  const Experiment experiment = folder.load_with(
      "[task.tickets]\ntext_a = \"body\"\ntext_b = \"answer\"\nlabel = \"team\"\n");
  EXPECT_TRUE(experiment.task("tickets").regression());
  EXPECT_TRUE(experiment.task("tickets").pair());
  EXPECT_EQ(experiment.task("tickets").metrics.front(), Metric::kPearson);
}

TEST(OwnTasks, MistakesAreListedAtOnce) {
  const Folder folder;
  EXPECT_THAT(folder.error("[task.tickets]\nlabel = 3\nlables = [\"a\", \"b\"]\n"),
              AllOf(HasSubstr("3 problems"), HasSubstr("task.tickets.text_a: is missing"),
                    HasSubstr(":15: task.tickets.label: expected text, found integer"),
                    HasSubstr(":16: task.tickets.lables: unknown key (did you mean 'label'?)")));
  const std::string one = std::string(kTickets);
  EXPECT_THAT(folder.error(one + "metrics = [\"f1\"]\n"),
              HasSubstr("task.tickets.positive: is missing"));
  EXPECT_THAT(folder.error(one + "positive = \"Bugs\"\n"),
              HasSubstr("positive: 'Bugs' is none of labels"));
  EXPECT_THAT(folder.error(one + "metrics = [\"pearson\"]\n"),
              HasSubstr("pearson is a metric of scores, not of labels"));
  EXPECT_THAT(folder.error(one + "metrics = [\"accurcy\"]\n"), HasSubstr("\"accuracy\""));
  EXPECT_THAT(folder.error("[task.tickets]\ntext_a = \"body\"\nlabel = \"team\"\n"
                           "labels = [\"a\", \"a\", \"\"]\n"),
              AllOf(HasSubstr("a label is listed twice"), HasSubstr("a label is empty")));
  EXPECT_THAT(
      folder.error("[task.tickets]\ntext_a = \"body\"\nlabel = \"team\"\nlabels = [\"a\"]\n"),
      HasSubstr("expected at least two"));
}

TEST(OwnTasks, NamesAreGuarded) {
  const Folder folder;
  EXPECT_THAT(folder.error("[task.RTE]\ntext_a = \"body\"\n"),
              HasSubstr("task.RTE.text_a: unknown key"));
  EXPECT_THAT(folder.error("[task.\"a b\"]\ntext_a = \"x\"\nlabel = \"y\"\n"),
              HasSubstr("it becomes part of a folder's name"));
  EXPECT_THAT(folder.error("[task.ticket.train]\nepochs = 2\n" + std::string(kTickets)),
              AllOf(HasSubstr("unknown task 'ticket'"), HasSubstr("did you mean 'tickets'?")));
  // Declared wrongly, it is not unknown too.
  EXPECT_THAT(folder.error("[task.tickets]\nlabel = \"y\"\n"), Not(HasSubstr("unknown task")));
  EXPECT_THAT(
      testing::user_error_of([&] {
        folder.load(kExperiment + kTickets, {"data.tasks=[\"tickets\"]", "data.root=nothing"});
      }),
      HasSubstr("no folder"));
}

TEST(OwnTasks, MethodsMayHaveKeysForThem) {
  const Folder folder;
  const Experiment experiment =
      folder.load_with("[method.task.tickets]\nalpha = 0.25\n" + std::string(kTickets));
  EXPECT_EQ(experiment.methods.front().options_of("tickets").get<double>("alpha"), 0.25);
}

TEST(OwnTasks, AreReadAlone) {
  const Folder folder;
  const auto tasks = declared_tasks(folder.write("tasks.toml", kTickets));
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_EQ(tasks.front()->name, "tickets");
  EXPECT_THAT(testing::user_error_of(
                  [&] { declared_tasks(folder.write("wrong.toml", "[task.a]\nlabel = 1\n")); }),
              HasSubstr("task.a.label: expected text"));
}

}  // namespace
}  // namespace kdbench::own_tasks_test
