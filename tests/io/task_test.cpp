// SPDX-License-Identifier: MIT
#include "io/tasks/task.h"

#include <gtest/gtest.h>

#include "tests/io/rank_folder.h"

namespace kdbench::task_test {
namespace {

using testing::error_of;

TEST(Tasks, StandInTheirOrder) {
  std::vector<std::string> names;
  for (const auto& task : all_tasks()) names.push_back(task.name);
  EXPECT_EQ(names, (std::vector<std::string>{"CoLA", "SST-2", "MRPC", "STS-B", "QQP", "MNLI",
                                             "QNLI", "RTE", "WNLI", "AX"}));
}

TEST(Tasks, ColumnsOfEverySplit) {
  using Splits = std::vector<std::string>;
  struct Expected {
    Splits tasks, splits;
    int columns, text_a, text_b, label;
  };
  size_t seen = 0;
  for (const Expected& e :
       std::vector<Expected>{{{"CoLA"}, {"train", "dev"}, 4, 3, -1, 1},
                             {{"CoLA"}, {"test"}, 2, 1, -1, -1},
                             {{"SST-2"}, {"train", "dev"}, 2, 0, -1, 1},
                             {{"SST-2"}, {"test"}, 2, 1, -1, -1},
                             {{"MRPC"}, {"train", "dev"}, 5, 3, 4, 0},
                             {{"MRPC"}, {"test"}, 5, 3, 4, -1},
                             {{"STS-B"}, {"train", "dev"}, 10, 7, 8, 9},
                             {{"STS-B"}, {"test"}, 9, 7, 8, -1},
                             {{"QQP"}, {"train", "dev"}, 6, 3, 4, 5},
                             {{"QQP"}, {"test"}, 3, 1, 2, -1},
                             {{"MNLI"}, {"train"}, 12, 8, 9, 11},
                             {{"MNLI"}, {"dev_matched", "dev_mismatched"}, 16, 8, 9, 15},
                             {{"MNLI"}, {"test_matched", "test_mismatched"}, 10, 8, 9, -1},
                             {{"QNLI", "RTE", "WNLI"}, {"train", "dev"}, 4, 1, 2, 3},
                             {{"QNLI", "RTE", "WNLI"}, {"test"}, 3, 1, 2, -1},
                             {{"MNLI", "AX"}, {"diagnostic"}, 3, 1, 2, -1}}) {
    for (const auto& task : e.tasks) {
      for (const auto& split : e.splits) {
        const FileLayout& layout = find_task(task).split(split).layout;
        EXPECT_EQ((std::vector{layout.columns, layout.text_a, layout.text_b, layout.label}),
                  (std::vector{e.columns, e.text_a, e.text_b, e.label}))
            << task << " " << split;
        ++seen;
      }
    }
  }
  EXPECT_EQ(seen, 31u);  // all there are
}

TEST(Tasks, LabelsAndMetrics) {
  using Names = std::vector<std::string>;
  const auto names = [](const std::vector<Metric>& metrics) {
    Names all;
    for (const auto metric : metrics) all.push_back(metric_name(metric));
    return all;
  };
  const Names binary{"0", "1"}, accuracy{"accuracy"};
  const Names nli{"contradiction", "entailment", "neutral"}, yes_no{"entailment", "not_entailment"};
  struct Expected {
    const char* task;
    Names labels, metrics, selection;
    bool pair;
  };
  for (const Expected& e :
       std::vector<Expected>{{"CoLA", binary, {"matthews", "accuracy"}, {"matthews"}, false},
                             {"SST-2", binary, accuracy, accuracy, false},
                             {"MRPC", binary, {"f1", "accuracy"}, {"f1"}, true},
                             {"STS-B", {}, {"pearson", "spearman"}, {"pearson", "spearman"}, true},
                             {"QQP", binary, {"accuracy", "f1"}, accuracy, true},
                             {"MNLI", nli, accuracy, accuracy, true},
                             {"QNLI", yes_no, accuracy, accuracy, true},
                             {"RTE", yes_no, accuracy, accuracy, true},
                             {"WNLI", binary, accuracy, accuracy, true},
                             {"AX", nli, accuracy, accuracy, true}}) {
    const Task& task = find_task(e.task);
    EXPECT_EQ(task.labels, e.labels) << e.task;
    EXPECT_EQ(names(task.metrics), e.metrics) << e.task;
    EXPECT_EQ(names(task.selection), e.selection) << e.task;
    EXPECT_EQ(task.pair(), e.pair) << e.task;
    EXPECT_EQ(task.regression(), std::string(e.task) == "STS-B");
    EXPECT_EQ(task.skips_short_rows, std::string(e.task) == "QQP");
  }
}

TEST(Tasks, Splits) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(find_task("MNLI").dev_splits(), (Names{"dev_matched", "dev_mismatched"}));
  EXPECT_EQ(find_task("MNLI").test_splits(),
            (Names{"test_matched", "test_mismatched", "diagnostic"}));
  EXPECT_EQ(find_task("RTE").dev_splits(), Names{"dev"});
  EXPECT_EQ(find_task("AX").dev_splits(), Names{});
  EXPECT_EQ(find_task("AX").test_splits(), Names{"diagnostic"});
}

// As run_glue writes them into id2label.
TEST(Tasks, LabelsInGluesOwnWords) {
  const auto label = [](const char* task, const std::string& name) {
    const std::string* found = find_task(task).label_of(name);
    return found ? *found : "none";
  };
  EXPECT_EQ(label("CoLA", "unacceptable") + label("CoLA", "acceptable"), "01");
  EXPECT_EQ(label("SST-2", "NEGATIVE") + label("SST-2", "positive"), "01");
  EXPECT_EQ(label("MRPC", "not_equivalent") + label("MRPC", "equivalent"), "01");
  EXPECT_EQ(label("QQP", "not_duplicate") + label("QQP", "duplicate"), "01");
  EXPECT_EQ(label("WNLI", "not_entailment") + label("WNLI", "entailment"), "01");
  EXPECT_EQ(label("RTE", "Not Entailment") + label("QNLI", "ENTAILMENT"),
            "not_entailmententailment");
  EXPECT_EQ(label("MNLI", "Neutral"), "neutral");
  EXPECT_EQ(label("MRPC", "1"), "1");
  EXPECT_EQ(label("MRPC", "positive"), "none");
  EXPECT_EQ(label("RTE", "0"), "none");
  for (const auto& task : all_tasks()) {
    EXPECT_TRUE(task.label_words.empty() || task.label_words.size() == task.labels.size());
  }
  EXPECT_TRUE(find_task("SST-2").is_called("sst2"));
  EXPECT_TRUE(find_task("AX").is_called("mnli-mm"));
  EXPECT_FALSE(find_task("RTE").is_called("wnli"));
}

TEST(Tasks, UnknownNamesSayWhatThereIs) {
  const std::string task = error_of([] { find_task("SST2"); });
  EXPECT_HAS(task, "unknown task 'SST2'; there are CoLA, SST-2, ");
  EXPECT_HAS(task, "did you mean 'SST-2'?");
  const std::string split = error_of([] { find_task("MNLI").split("dev_match"); });
  EXPECT_HAS(split, "unknown MNLI split 'dev_match'; there are train, dev_matched, ");
  EXPECT_HAS(split, "did you mean 'dev_matched'?");
}

}  // namespace
}  // namespace kdbench::task_test
