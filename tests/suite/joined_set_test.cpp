// SPDX-License-Identifier: MIT
#include "suite/transfer/joined_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "io/stores/teacher_store_writer.h"
#include "suite/transfer/set_file.h"
#include "tests/support/temp_folder.h"
#include "tests/support/user_error.h"

namespace kdbench::joined_set_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TempFolder;
using testing::user_error_of;

// Rows of a transfer set, as augment writes them.
GlueFile set_of(const TempFolder& folder, const Task& task, const std::vector<std::string>& texts) {
  const FileLayout layout = set_layout(task);
  std::string lines = set_header(layout) + "\n";
  for (size_t i = 0; i < texts.size(); ++i)
    add_set_row(layout, static_cast<int64_t>(i), texts[i], lines);
  return read_rows(folder.write("set.tsv", lines), task, layout);
}

TEST(SetFile, HasTheColumnsOfTheTasksTestRows) {
  std::string lines;
  const auto row = [&](const char* task, const char* text) {
    lines.clear();
    add_set_row(set_layout(find_task(task)), 7, text, lines);
    return lines;
  };
  EXPECT_EQ(row("SST-2", "a b"), "7\ta b\n");
  EXPECT_EQ(row("CoLA", "a b"), "7\ta b\n");
  EXPECT_EQ(row("MRPC", "a\tb"), "7\t_\t_\ta\tb\n");
  EXPECT_EQ(row("QQP", "a\tb"), "7\ta\tb\n");
  EXPECT_EQ(row("STS-B", "a\tb"), "7\t_\t_\t_\t_\t_\t_\ta\tb\n");
  EXPECT_EQ(row("MNLI", "a\tb"), "7\t_\t_\t_\t_\t_\t_\t_\ta\tb\n");
  EXPECT_THAT(user_error_of([] { set_layout(find_task("AX")); }), HasSubstr("no training rows"));
}

// What is written is read again as the task's test split, for every task.
TEST(SetFile, IsReadAsTheTasksTestRows) {
  const TempFolder folder;
  for (const Task& task : all_tasks()) {
    if (task.name == "AX") continue;
    const std::string text = task.pair() ? "\"one\tof \"two\"" : "\"one";
    set_of(folder, task, {text, text});
    const std::string split = task.test_splits().front();
    std::filesystem::create_directories(folder / task.name);
    std::filesystem::rename(folder / "set.tsv", glue_path(folder.path(), task, split));
    const GlueFile file = read_glue(folder.path(), task, split);
    ASSERT_EQ(file.rows.size(), 2u) << task.name;
    EXPECT_EQ(file.rows[1].text_a, task.pair() ? "\"one" : text);
    EXPECT_EQ(file.rows[1].text_b, task.pair() ? "of \"two\"" : "");
    EXPECT_EQ(file.rows[1].row_id, 1);
  }
}

TEST(JoinedSet, OneSchemaForAllTasks) {
  const auto header = [](const char* task) { return joined_header(find_task(task)); };
  EXPECT_EQ(header("SST-2"), "sentence\tlabel\tlogits_0\tlogits_1");
  EXPECT_EQ(header("CoLA"), "sentence\tlabel\tlogits_0\tlogits_1");
  EXPECT_EQ(header("MRPC"), "#1 String\t#2 String\tQuality\tlogits_0\tlogits_1");
  EXPECT_EQ(header("QQP"), "question1\tquestion2\tis_duplicate\tlogits_0\tlogits_1");
  EXPECT_EQ(header("QNLI"), "question\tsentence\tlabel\tlogits_0\tlogits_1");
  EXPECT_EQ(header("STS-B"), "sentence1\tsentence2\tscore\tlogits_0");
  EXPECT_EQ(header("MNLI"), "sentence1\tsentence2\tgold_label\tlogits_0\tlogits_1\tlogits_2");
}

void write_store(const std::filesystem::path& path, const std::string& task,
                 const TeacherSlice& split) {
  write_teacher_store(path, MPI_COMM_SELF, {task, "checkpoint"}, {split});
}

// Three logits in the model's own order, rows stored in another order, floats that round-trip.
TEST(JoinedSet, LogitsOfAStoreAreMatchedByRowAndLabel) {
  const TempFolder folder;
  const Task& mnli = find_task("MNLI");
  const GlueFile rows = set_of(folder, mnli, {"a\tb", "c \"d\tno quote", "e\tf"});
  TeacherSlice split;
  split.name = "test_matched";
  split.source_sha256 = rows.sha256;
  split.label_order = {"entailment", "neutral", "contradiction"};
  split.classes = 3;
  split.row_ids = {2, 0, 1};
  const float tiny = std::numeric_limits<float>::denorm_min(), third = 1.0f / 3;
  split.logits = {1, 2, 3, third, -0.1f, -16777217.0f, tiny, 0.5f, 0.5f};
  write_store(folder / "t.h5", "MNLI", split);
  const RowLogits logits = store_logits(folder / "t.h5", rows, mnli);
  write_joined_set(rows, logits, mnli, folder / "joined.tsv");
  // Columns: contradiction, entailment, neutral. Of equal logits the first counts.
  EXPECT_EQ(testing::read_text(folder / "joined.tsv"),
            "sentence1\tsentence2\tgold_label\tlogits_0\tlogits_1\tlogits_2\n"
            "a\tb\tentailment\t-16777216\t0.33333334\t-0.1\n"
            "c \"d\tno quote\tcontradiction\t0.5\t1e-45\t0.5\n"
            "e\tf\tcontradiction\t3\t1\t2\n");
}

TEST(JoinedSet, AScoreIsTheLogitWithinItsRange) {
  const TempFolder folder;
  const Task& stsb = find_task("STS-B");
  const GlueFile rows = set_of(folder, stsb, {"a\tb", "c\td", "e\tf"});
  folder.write("x-logits.tsv", "index\tlogit0\n0\t5.25\n1\t-0.125\n2\t3.29999995\n");
  const RowLogits logits = table_logits(folder / "x-logits.tsv", rows, stsb, {});
  write_joined_set(rows, logits, stsb, folder / "joined.tsv");
  EXPECT_EQ(testing::read_text(folder / "joined.tsv"),
            "sentence1\tsentence2\tscore\tlogits_0\n"
            "a\tb\t5\t5.25\nc\td\t0\t-0.125\ne\tf\t3.3\t3.3\n");
}

class RefusedLogits : public ::testing::Test {
 protected:
  std::string store_error(const std::string& task = "SST-2") {
    write_store(folder_ / "t.h5", task, split_);
    const auto error = user_error_of([&] { store_logits(folder_ / "t.h5", rows_, sst2_); });
    std::filesystem::remove(folder_ / "t.h5");
    return error;
  }
  std::string table_error(const std::string& text, const std::vector<std::string>& order = {}) {
    folder_.write("x-logits.tsv", text);
    return user_error_of([&] { table_logits(folder_ / "x-logits.tsv", rows_, sst2_, order); });
  }

  const TempFolder folder_;
  const Task& sst2_ = find_task("SST-2");
  const GlueFile rows_ = set_of(folder_, sst2_, {"a", "b"});
  TeacherSlice split_{.name = "test",
                      .source_sha256 = rows_.sha256,
                      .row_ids = {0, 1},
                      .label_order = {"0", "1"},
                      .classes = 2,
                      .logits = {1, 2, 3, 4},
                      .cls_layers = {},
                      .cls = {},
                      .pooled = {}};
};

TEST_F(RefusedLogits, OfAStoreThatIsNotTheRows) {
  EXPECT_EQ(store_error(), "no error");
  EXPECT_THAT(store_error("CoLA"), HasSubstr("outputs on CoLA, not on SST-2"));
  split_.label_order = {"0", "positive"};  // GLUE's word for 1
  EXPECT_EQ(store_error(), "no error");
  split_.label_order = {"0", "2"};
  EXPECT_THAT(store_error(), HasSubstr("has the labels \"0\", \"2\", the task has \"0\", \"1\""));
  split_.label_order = {"0", "1"};
  split_.row_ids = {0};
  split_.logits = {1, 2};
  EXPECT_THAT(store_error(), AllOf(HasSubstr("1 of 2 rows"), HasSubstr("the first is row 1")));
  split_.source_sha256 = "another file's";
  EXPECT_THAT(store_error(), HasSubstr("none of its splits (test) is of"));
}

TEST_F(RefusedLogits, OfATableThatIsNotTheRows) {
  const std::string header = "index\tlogit0\tlogit1\n";
  EXPECT_EQ(table_error(header + "1\t3\t4\n0\t1\t2\n"), "no error");
  const auto several = table_error(header + "0\t1\tx\n5\t1\t2\n1\t1\n");
  EXPECT_THAT(several, AllOf(HasSubstr("x-logits.tsv:2: expected numbers"),
                             HasSubstr("x-logits.tsv:3"), HasSubstr("has no row 5"),
                             HasSubstr("x-logits.tsv:4: 2 cells"), HasSubstr("2 of 2 rows")));
  EXPECT_THAT(table_error(header + "0\t1\t2\n0\t1\t2\n1\t1\t2\n"), HasSubstr("stands there twice"));
  EXPECT_THAT(table_error(header + "0\t1\tnan\n1\t1\t2\n"), HasSubstr("no finite number"));
  EXPECT_THAT(table_error("0\t1\t2\n1\t1\t2\n"), HasSubstr("the header is missing"));
  EXPECT_THAT(table_error(header, {"0", "0"}), HasSubstr("has the labels"));
}

// The predictions beside a table of logits tell whether its columns are in the task's order.
TEST_F(RefusedLogits, OfAnotherOrderOfLabels) {
  folder_.write("x.tsv", "index\tprediction\n0\t0\n1\t1\n");
  const std::string text = "index\tlogit0\tlogit1\n0\t1\t2\n1\t4\t3\n";
  EXPECT_THAT(table_error(text),
              AllOf(HasSubstr("row 0 was predicted to be '0'"), HasSubstr("--label-order")));
  EXPECT_EQ(table_error(text, {"1", "0"}), "no error");
  const RowLogits logits = table_logits(folder_ / "x-logits.tsv", rows_, sst2_, {"1", "0"});
  EXPECT_EQ(logits.values, (std::vector<float>{2, 1, 3, 4}));
}

}  // namespace
}  // namespace kdbench::joined_set_test
