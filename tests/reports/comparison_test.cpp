// SPDX-License-Identifier: MIT
#include "reports/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/reports/made_up_run.h"

namespace kdbench::comparison_test {
namespace {

using nlohmann::json;
using ::testing::Contains;
using testing::dev_scores;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::made_up_run;
using ::testing::Not;
using testing::not_done;

// What people see in the column `title`, by row.
std::vector<std::string> column(const Table& table, const std::string& title) {
  std::vector<std::string> cells;
  for (size_t c = 0; c < table.header.size(); ++c) {
    if (table.header[c].title != title || table.header[c].show == Show::kData) continue;
    for (const auto& row : table.rows) cells.push_back(shown(table.header[c], row[c]));
  }
  return cells;
}

std::vector<json> two_tasks() {
  return {made_up_run("MRPC", "kd", 1, dev_scores(0.70, 0.80), 10),
          made_up_run("MRPC", "kd", 2, dev_scores(0.72, 0.82), 15),
          not_done(made_up_run("MRPC", "kd", 3, {}, 1), "failed", "loss is not finite"),
          made_up_run("SST-2", "finetune", 1, {{"dev", {{"accuracy", 0.9}}}}, 2),
          made_up_run("MRPC", "teacher", 1, dev_scores(0.75, 0.85), 20)};
}

TEST(Comparison, GoldenSummary) {
  // clang-format off
  EXPECT_EQ(write_summary(two_tasks()),
      "task   method               n       accuracy             f1  params (M)  epochs  steps  core s  samples/s  speed-up\n"
      "-----  --------  ------------  -------------  -------------  ----------  ------  -----  ------  ---------  --------\n"
      "MRPC   teacher              1          0.750          0.850       22.71       3     96    40.0       50.0      1.00\n"
      "MRPC   kd        2 (1 failed)  0.710 (0.014)  0.810 (0.014)       12.34       3     96    25.0       80.0      1.60\n"
      "SST-2  finetune             1          0.900              -       12.34       3     96     4.0      500.0         -\n"
      "Dev scores: mean (sd with n - 1) over n runs, of the last checkpoint unless marked best.\n"
      "core s: training seconds x ranks x threads, mean of a run, without evaluation and without the teacher's own.\n"
      "samples/s: in training, all samples over all seconds; speed-up: in prediction, over the teacher's samples/s.\n"
      "Not shown for lack of room: train s.\n"
      "\n"
      "Not done\n"
      "run         status  reason\n"
      "----------  ------  ------------------\n"
      "MRPC-kd-s3  failed  loss is not finite\n");
  // clang-format on
}

TEST(Comparison, SaysWhichRunsSharedTheirCores) {
  auto runs = two_tasks();
  runs[0]["system"]["hosts"][0].update({{"cpus_of_others", 0.8}, {"cpus_shared", true}});
  runs[1]["system"]["hosts"][0].update({{"cpus_of_others", 0.1}, {"cpus_shared", false}});
  EXPECT_THAT(comparison_table(runs).notes,
              Contains("MRPC: other processes used the cores during runs of kd (1); times do not "
                       "compare."));
  EXPECT_THAT(write_summary(two_tasks()), Not(HasSubstr("other processes")));
}

TEST(Comparison, SummaryForPrograms) {
  const auto summary = summary_json(two_tasks());
  const auto& rows = summary.at("comparison").at("rows");
  EXPECT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].at("method"), "kd");
  EXPECT_EQ(rows[1].at("n"), 2);
  EXPECT_NEAR(rows[1].at("accuracy_mean").get<double>(), 0.71, 1e-9);
  EXPECT_EQ(summary.at("grids").at("rows"), json::array());
  EXPECT_EQ(summary.at("not_done").at("rows")[0].at("reason"), "loss is not finite");
}

TEST(Comparison, CsvHasNumbersInFull) {
  // clang-format off
  EXPECT_EQ(write_csv(comparison_table({two_tasks()[0], two_tasks()[1], two_tasks()[2]})),
      "experiment,task,method,checkpoint,grid_points,n,failed,stopped,accuracy_mean,accuracy_sd,f1_mean,f1_sd,parameters,epochs,steps,"
      "core_s_mean,train_s_mean,samples_per_s_global,predicted_samples_per_s_global,prediction_speed_up_over_teacher\n"
      "exp,MRPC,kd,last,,2,1,0,0.71,0.014142135623730963,0.81,0.014142135623730885,12340000,3,96,25,12.5,80,800,\n");
  // clang-format on
}

TEST(Comparison, TheBestCheckpointIsMarked) {
  json best = made_up_run("MRPC", "kd", 1, dev_scores(0.70, 0.80), 1);
  best["checkpoint"] = "best";
  best["metrics"]["best"] = dev_scores(0.76, 0.86);
  const Table table =
      comparison_table({best, made_up_run("MRPC", "finetune", 1, dev_scores(0.7, 0.8), 1)});
  EXPECT_THAT(column(table, "method"), ElementsAre("finetune", "kd"));
  EXPECT_THAT(column(table, "checkpoint"), ElementsAre("last", "best"));
  EXPECT_THAT(column(table, "accuracy"), ElementsAre("0.700", "0.760"));
  EXPECT_THAT(table.notes, Contains("best: the checkpoint was selected on the same dev rows."));
}

TEST(Comparison, MatchedAndMismatchedAreTwoColumns) {
  const json metrics{{"dev_matched", {{"accuracy", 0.8}}}, {"dev_mismatched", {{"accuracy", 0.7}}}};
  const Table table = comparison_table({made_up_run("MNLI", "kd", 1, metrics, 10)});
  EXPECT_THAT(column(table, "accuracy"), ElementsAre("0.800"));
  EXPECT_THAT(column(table, "accuracy dev_mismatched"), ElementsAre("0.700"));
  EXPECT_THAT(write_csv(table), HasSubstr(",accuracy_dev_mismatched_mean,"));
}

TEST(Comparison, SyntheticTasksAreNotTakenForTheRealOnes) {
  json synthetic = made_up_run("SST-2", "kd", 1, dev_scores(0.9, 0.9), 1);
  synthetic["data"]["synthetic"] = true;
  const Table table =
      comparison_table({synthetic, made_up_run("SST-2", "kd", 2, dev_scores(0.8, 0.8), 1)});
  EXPECT_THAT(column(table, "task"), ElementsAre("SST-2 (synthetic)", "SST-2"));
  EXPECT_THAT(column(table, "n"), ElementsAre("1", "1"));
}

TEST(Comparison, AnEqualBudgetRowShowsItsEpochsAndSteps) {
  json longer = made_up_run("MRPC", "finetune-long", 1, dev_scores(0.72, 0.82), 20);
  longer["method"] = "finetune";
  longer["epochs"] = 6;
  longer["steps"] = 192;
  const Table table =
      comparison_table({longer, made_up_run("MRPC", "finetune", 1, dev_scores(0.71, 0.81), 10),
                        made_up_run("MRPC", "kd", 1, dev_scores(0.73, 0.83), 12)});
  EXPECT_THAT(column(table, "method"), ElementsAre("finetune", "finetune-long", "kd"));
  EXPECT_THAT(column(table, "epochs"), ElementsAre("3", "6", "3"));
  EXPECT_THAT(column(table, "steps"), ElementsAre("96", "192", "96"));
  EXPECT_THAT(column(table, "core s"), ElementsAre("20.0", "40.0", "24.0"));
  EXPECT_THAT(table.notes, Contains("MRPC: methods differ in training steps."));
}

TEST(Comparison, OtherSettingsAreOtherRows) {
  const auto with = [](json run, int epochs, const std::string& features) {
    run["inputs"] = {{"train", {{"epochs", epochs}, {"clip", 1.0}}},
                     {"student", {{"seed", run["seed"]}}},
                     {"seed", run["seed"]},
                     {"features", features}};
    return run;
  };
  const json scores = dev_scores(0.7, 0.8);
  const std::vector<json> runs{
      with(made_up_run("MRPC", "kd", 1, scores, 1), 3, "aa"),
      with(made_up_run("MRPC", "kd", 2, scores, 1), 3, "aa"),
      with(made_up_run("MRPC", "kd", 1, scores, 1), 1, "bb"),
      with(not_done(made_up_run("MRPC", "kd", 4, scores, 1), "stopped", ""), 1, "bb"),
      // Its teacher failed: nothing but the label is known.
      not_done(made_up_run("MRPC", "kd", 5, scores, 1), "failed", "its teacher failed")};
  const Table table = comparison_table(runs);
  EXPECT_THAT(column(table, "method"), ElementsAre("kd [epochs=3]", "kd [epochs=1]"));
  EXPECT_THAT(column(table, "n"), ElementsAre("2 (1 failed)", "1 (1 stopped)"));
}

TEST(Comparison, TheTeachersSettingsCountButNotItsSeed) {
  const auto with = [](json run, const std::string& teacher, int epochs) {
    run["inputs"] = {{"teacher", teacher}, {"seed", run["seed"]}, {"features", "aa"}};
    run["config"]["teacher"] = {
        {"per_seed", true},
        {"train",
         {{"MRPC", {{"epochs", epochs}, {"seeds", {1, 2}}}}, {"RTE", {{"epochs", run["seed"]}}}}}};
    return run;
  };
  const json scores = dev_scores(0.7, 0.8);
  const std::vector<json> runs{with(made_up_run("MRPC", "kd", 1, scores, 1), "aaaa", 2),
                               with(made_up_run("MRPC", "kd", 2, scores, 1), "bbbb", 2),
                               with(made_up_run("MRPC", "kd", 3, scores, 1), "cccc", 9)};
  const Table table = comparison_table(runs);
  EXPECT_THAT(column(table, "method"),
              ElementsAre("kd [teacher.epochs=2]", "kd [teacher.epochs=9]"));
  EXPECT_THAT(column(table, "n"), ElementsAre("2", "1"));
}

TEST(Comparison, StudentsThatBeginAsTheirSeedsTeacherAreOneRow) {
  const auto with = [](json run, const std::string& weights) {
    run["inputs"] = {{"features", "aa"},
                     {"student", {{"init_from", "teacher"}, {"weights", weights}}}};
    return run;
  };
  const json scores = dev_scores(0.7, 0.8);
  const Table table =
      comparison_table({with(made_up_run("MRPC", "finetune", 1, scores, 1), "aaaa"),
                        with(made_up_run("MRPC", "finetune", 2, scores, 1), "bbbb")});
  EXPECT_THAT(column(table, "n"), ElementsAre("2"));
}

TEST(Comparison, ASeedCountsOnce) {
  const json run = made_up_run("MRPC", "kd", 1, dev_scores(0.7, 0.8), 1);
  const Table table = comparison_table({run, run});
  EXPECT_THAT(column(table, "n"), ElementsAre("1"));
  EXPECT_THAT(table.notes, Contains("MRPC kd: 1 more of the same seed, not counted"));
}

TEST(Comparison, TimesOfSeveralMachinesAreNotCompared) {
  json other = made_up_run("MRPC", "kd", 1, dev_scores(0.7, 0.8), 1);
  other["system"]["ranks"] = 4;
  const Table table =
      comparison_table({other, made_up_run("MRPC", "teacher", 1, dev_scores(0.7, 0.8), 1)});
  EXPECT_THAT(column(table, "speed-up"), ElementsAre("1.00", "-"));
  EXPECT_THAT(
      table.notes,
      Contains("MRPC: runs on different machines, ranks or threads; times do not compare."));
  EXPECT_THAT(comparison_table(two_tasks()).notes, Not(Contains(HasSubstr("machines"))));
}

TEST(Comparison, SeveralExperimentsGetAColumn) {
  json other = made_up_run("MRPC", "kd", 1, dev_scores(0.7, 0.8), 1);
  other["experiment"] = "more";
  const Table table =
      comparison_table({made_up_run("MRPC", "kd", 1, dev_scores(0.6, 0.8), 1), other});
  EXPECT_THAT(column(table, "experiment"), ElementsAre("exp", "more"));
  EXPECT_THAT(column(table, "accuracy"), ElementsAre("0.600", "0.700"));
  EXPECT_THAT(column(comparison_table({other}), "experiment"), ElementsAre());
}

json with_teacher_beside(json run, double accuracy, double f1) {
  run["metrics"]["teacher_last"] = dev_scores(accuracy, f1);
  run["metrics"]["teacher_best"] = dev_scores(0.99, 0.99);
  run["metrics"]["teacher_best_epoch"] = 0;
  return run;
}

TEST(Comparison, ATeacherThatLearnedTooHasItsScoresBesideTheStudents) {
  const Table table = comparison_table(
      {with_teacher_beside(made_up_run("MRPC", "prokt", 1, dev_scores(0.70, 0.80), 10), 0.6, 0.7),
       with_teacher_beside(made_up_run("MRPC", "prokt", 2, dev_scores(0.72, 0.82), 10), 0.8, 0.9),
       made_up_run("MRPC", "finetune", 1, dev_scores(0.71, 0.81), 10)});
  EXPECT_THAT(column(table, "method"), ElementsAre("finetune", "prokt"));
  EXPECT_THAT(column(table, "accuracy"), ElementsAre("0.710", "0.710 (0.014)"));
  EXPECT_THAT(column(table, "teacher accuracy"), ElementsAre("-", "0.700 (0.141)"));
  EXPECT_THAT(column(table, "teacher f1"), ElementsAre("-", "0.800 (0.141)"));
  EXPECT_THAT(write_markdown(table), HasSubstr("| teacher accuracy |"));
  EXPECT_THAT(write_csv(table), HasSubstr(",f1_sd,teacher_accuracy_mean,teacher_accuracy_sd,"));
  const std::string note =
      "teacher ...: dev scores of the teacher that learned beside the student, after its last "
      "epoch.";
  EXPECT_THAT(table.notes, Contains(note));
  EXPECT_THAT(comparison_table(two_tasks()).notes, Not(Contains(note)));
}

TEST(Comparison, AnAssistantStandsBehindItsTeacherAndIsNobodysBase) {
  json assistant = made_up_run("MRPC", "assistant", 1, dev_scores(0.73, 0.83), 5);
  assistant["steps"] = 12;
  const Table table =
      comparison_table({made_up_run("MRPC", "takd", 1, dev_scores(0.7, 0.8), 10),
                        made_up_run("MRPC", "finetune", 1, dev_scores(0.7, 0.8), 10), assistant,
                        made_up_run("MRPC", "teacher", 1, dev_scores(0.75, 0.85), 20)});
  EXPECT_THAT(column(table, "method"), ElementsAre("teacher", "assistant", "finetune", "takd"));
  EXPECT_THAT(column(table, "speed-up"), ElementsAre("1.00", "4.00", "2.00", "2.00"));
  EXPECT_THAT(table.notes, Not(Contains("MRPC: methods differ in training steps.")));
}

TEST(Comparison, StudentsOfDifferentAssistantsAreTwoRows) {
  const auto with = [](json run, int layers) {
    run["inputs"] = {{"features", "aa"}, {"assistant", std::to_string(layers)}};
    run["config"] = {{"assistant", {{"layers", layers}}}};
    return run;
  };
  const json scores = dev_scores(0.7, 0.8);
  const Table table = comparison_table({with(made_up_run("MRPC", "takd", 1, scores, 1), 2),
                                        with(made_up_run("MRPC", "takd", 2, scores, 1), 3)});
  EXPECT_THAT(column(table, "method"),
              ElementsAre("takd [assistant.layers=2]", "takd [assistant.layers=3]"));
}

TEST(Comparison, OnlyFailedRuns) {
  const Table table = comparison_table(
      {not_done(made_up_run("MRPC", "kd", 1, {}, 1), "failed", "loss is not finite")});
  EXPECT_EQ(write_console(table).substr(0, 84),
            "task  method             n\n"
            "----  ------  ------------\n"
            "MRPC  kd      0 (1 failed)\n"
            "Dev");
}

}  // namespace
}  // namespace kdbench::comparison_test
