// SPDX-License-Identifier: MIT
#include "io/tasks/glue.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "io/base/sha256.h"
#include "tests/io/rank_folder.h"

namespace kdbench::glue_test {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using testing::RankFolder;

constexpr const char* kRteHeader = "index\tsentence1\tsentence2\tlabel\n";

// A data root with one file.
struct Root : RankFolder {
  Root(const std::string& file, const std::string& bytes) {
    fs::create_directories((path / file).parent_path());
    testing::write_bytes(path / file, bytes);
  }
  GlueFile read(const std::string& task, const std::string& split, int64_t limit = 0) const {
    return read_glue(path, find_task(task), split, limit);
  }
  std::string error(const std::string& task, const std::string& split) const {
    return error_of([&] { read(task, split); });
  }
};

TEST(Glue, CellsStayAsTheyAre) {
  const Root root("RTE/train.tsv", std::string(kRteHeader) +
                                       "0\t\"He said\t two  blanks \tentailment\n"
                                       "1\t\"\"a\"\"\t\tnot_entailment");  // no final newline
  const GlueFile file = root.read("RTE", "train");
  ASSERT_EQ(file.rows.size(), 2u);
  EXPECT_EQ(file.rows[0].text_a, "\"He said");
  EXPECT_EQ(file.rows[0].text_b, " two  blanks ");
  EXPECT_EQ(file.rows[0].label, "entailment");
  EXPECT_EQ(file.rows[1].row_id, 1);
  EXPECT_EQ(file.rows[1].text_a, "\"\"a\"\"");
  EXPECT_EQ(file.rows[1].text_b, "");
  EXPECT_EQ(file.sha256, file_sha256(root.path / "RTE/train.tsv"));
}

TEST(Glue, ByteOrderMarkAndCrLf) {
  const std::string rows = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n1\t7\t8\ta b\tc d\r\n";
  const Root root("MRPC/dev.tsv", "\xEF\xBB\xBF" + rows);
  const GlueFile file = root.read("MRPC", "dev");
  ASSERT_EQ(file.rows.size(), 1u);
  EXPECT_EQ(file.rows[0].label, "1");
  EXPECT_EQ(file.rows[0].text_a, "a b");
  EXPECT_EQ(file.rows[0].text_b, "c d");
}

TEST(Glue, LimitTakesTheFirstRows) {
  const Root root("CoLA/train.tsv", "x\t1\t\ta\nx\t0\t*\tb\nbroken\n");
  const GlueFile file = root.read("CoLA", "train", 2);
  ASSERT_EQ(file.rows.size(), 2u);
  EXPECT_EQ(file.rows[1].label, "0");
  EXPECT_EQ(file.rows[1].text_a, "b");
}

TEST(Glue, ShortRowsOfQqpAreCountedAndKeepTheirNumbers) {
  const Root root("QQP/train.tsv",
                  "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"
                  "7\t1\t2\ta\tb\t0\n8\t3\t4\tcut\n9\t5\t6\tc\td\t1\n");
  const GlueFile file = root.read("QQP", "train");
  EXPECT_EQ(file.short_rows, 1);
  ASSERT_EQ(file.rows.size(), 2u);
  EXPECT_EQ(file.rows[0].row_id, 0);
  EXPECT_EQ(file.rows[1].row_id, 2);
  EXPECT_EQ(file.rows[1].text_b, "d");
}

// Line breaks within a question make a few short rows; a file that is mostly short is another one.
TEST(Glue, ManyShortRowsOfQqpAreRefused) {
  const auto root = [](int whole, int cut) {
    std::string text = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n";
    for (int i = 0; i < whole; ++i) text += "7\t1\t2\ta\tb\t0\n";
    for (int i = 0; i < cut; ++i) text += "a\tb\t0\n";
    return Root("QQP/train.tsv", text);
  };
  EXPECT_EQ(root(10, 10).read("QQP", "train").short_rows, 10);
  EXPECT_EQ(root(1100, 11).read("QQP", "train").short_rows, 11);
  const std::string error = root(4, 20).error("QQP", "train");
  EXPECT_HAS(error, "train.tsv:6: 20 of 24 rows have fewer than 6 cells, too many to leave out");
  EXPECT_HAS(error, "this one has 3: no question1, question2, is_duplicate");
  EXPECT_HAS(root(1000, 11).error("QQP", "train"), "11 of 1011 rows");
  EXPECT_HAS(root(0, 1).error("QQP", "train"), "1 of 1 rows");
}

TEST(Glue, LongRowsOfQqpAreErrors) {
  const Root root("QQP/train.tsv",
                  "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n7\t1\t2\ta\tb\t0\t\n");
  EXPECT_HAS(root.error("QQP", "train"), "train.tsv:2: 7 cells instead of 6");
}

TEST(Glue, EveryMalformedRowIsFound) {
  const Root root("RTE/train.tsv", std::string(kRteHeader) +
                                       "0\ta\tb\tentailment\n"
                                       "1\ta\tb\n"
                                       "2\ta\tb\tentailment\textra\n"
                                       "3\ta\tb\tEntailment\n"
                                       "4\ta\xFF\tb\tentailment\n"
                                       "\n");
  const std::string error = root.error("RTE", "train");
  EXPECT_HAS(error, "5 malformed rows:");
  EXPECT_HAS(error, "RTE/train.tsv:3: 3 cells instead of 4");
  EXPECT_HAS(error, "RTE/train.tsv:4: 5 cells instead of 4");
  EXPECT_HAS(error,
             "RTE/train.tsv:5: the label 'Entailment' is none of entailment, not_entailment");
  EXPECT_HAS(error, "RTE/train.tsv:6: the line is not valid UTF-8");
  EXPECT_HAS(error, "RTE/train.tsv:7: 1 cells instead of 4");
}

TEST(Glue, InvalidUtf8IsFoundInEveryForm) {
  for (const char* bytes :
       {"\x80", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"}) {
    const Root root("CoLA/dev.tsv", std::string("x\t1\t\ta") + bytes + "\n");
    EXPECT_HAS(root.error("CoLA", "dev"), "dev.tsv:1: the line is not valid UTF-8");
  }
  const Root root("CoLA/dev.tsv", "x\t1\t\t\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\n");
  EXPECT_EQ(root.read("CoLA", "dev").rows[0].text_a, "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
}

TEST(Glue, Utf16IsNamed) {
  const Root root("CoLA/dev.tsv", std::string("\xFF\xFEx\0\t\0", 6));
  EXPECT_HAS(root.error("CoLA", "dev"), "dev.tsv: is UTF-16, not UTF-8 (convert it: iconv");
}

TEST(Glue, WhatAMessageQuotesIsCut) {
  const Root root("CoLA/dev.tsv", std::string("x\t").append(5'000'000, '7') + "\x1B\t\ta\n");
  const std::string error = root.error("CoLA", "dev");
  EXPECT_HAS(error, "the label '7777");
  EXPECT_LT(error.size(), 1000u);
}

TEST(Glue, LongListsOfProblemsAreCut) {
  std::string rows = kRteHeader;
  for (int i = 0; i < 57; ++i) rows += "cut\n";
  const std::string error = Root("RTE/dev.tsv", rows).error("RTE", "dev");
  EXPECT_HAS(error, "57 malformed rows:");
  EXPECT_HAS(error, "dev.tsv:21: ");
  EXPECT_EQ(error.find("dev.tsv:22: "), std::string::npos);
  EXPECT_HAS(error, "... and 37 more");
}

TEST(Glue, Scores) {
  const std::string start =
      "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n"
      "0\tg\tf\ty\to\ts\ts\ta\tb\t";
  for (const char* score : {"0", "5.000", "3.8", "0.25"}) {
    EXPECT_EQ(Root("STS-B/dev.tsv", start + score).read("STS-B", "dev").rows[0].label, score);
  }
  for (const char* score : {"", "5.1", "-1", "nan", "inf", "3,5", "3.5 ", "x"}) {
    EXPECT_HAS(Root("STS-B/dev.tsv", start + score).error("STS-B", "dev"),
               std::string("dev.tsv:2: the score '") + score + "' is no number from 0 to 5");
  }
}

TEST(Glue, HeadersMustBeThere) {
  const Root none("RTE/train.tsv", "0\ta\tb\tentailment\n");
  EXPECT_HAS(none.error("RTE", "train"),
             "RTE/train.tsv:1: the header is missing or another one: no 'sentence1' in column 2");
  const Root other("RTE/train.tsv", "index\tsentence1\n0\ta\tb\tentailment\n");
  EXPECT_HAS(other.error("RTE", "train"), "no 'sentence2' in column 3");
  const Root surplus("CoLA/dev.tsv", "source\tlabel\tmark\tsentence\nx\t1\t\ta\n");
  EXPECT_HAS(surplus.error("CoLA", "dev"),
             "dev.tsv:1: the label 'label' is none of 0, 1 (this file has no header line)");
}

TEST(Glue, HeadersMayNameOtherColumnsBesideTheTexts) {
  const Root fewer("RTE/dev.tsv", "id\tsentence1\tsentence2\n0\ta\tb\tentailment\n");
  EXPECT_EQ(fewer.read("RTE", "dev").rows.at(0).label, "entailment");
  const Root unlabelled("RTE/dev.tsv", "index\tsentence1\tsentence2\n0\ta\tb\n");
  EXPECT_HAS(unlabelled.error("RTE", "dev"), "dev.tsv:2: 3 cells instead of 4");
}

TEST(Glue, FilesWithoutRows) {
  EXPECT_HAS(Root("RTE/dev.tsv", "").error("RTE", "dev"), "the file is empty");
  EXPECT_HAS(Root("RTE/dev.tsv", kRteHeader).error("RTE", "dev"), "the file has no rows");
  EXPECT_HAS(Root("CoLA/dev.tsv", "").error("CoLA", "dev"), "the file has no rows");
}

TEST(Glue, MissingFilesAreNamed) {
  const Root root("RTE/train.tsv", kRteHeader);
  const std::string error = root.error("MNLI", "dev_matched");
  EXPECT_HAS(error, (root.path / "MNLI/dev_matched.tsv").string() + ": the file does not exist");
  EXPECT_HAS(error, "MNLI 'dev_matched' is read from <data.root>/MNLI/dev_matched.tsv");
  EXPECT_HAS(root.error("AX", "diagnostic"), (root.path / "diagnostic/diagnostic.tsv").string());
}

TEST(Glue, DiagnosticSetInEitherFolder) {
  const std::string rows = "index\tsentence1\tsentence2\n0\ta\tb\n";
  for (const char* file : {"AX/diagnostic.tsv", "diagnostic/diagnostic.tsv"}) {
    for (const char* task : {"AX", "MNLI"}) {
      EXPECT_EQ(Root(file, rows).read(task, "diagnostic").rows.size(), 1u) << file << task;
    }
  }
}

using Texts = std::vector<std::string>;

// Row ids and texts of rows begin .. end - 1, and how many windows they came in.
Texts windows(const fs::path& path, int64_t begin, int64_t end, int& count) {
  const Task& task = find_task("SST-2");
  Texts texts;
  count = 0;
  read_row_windows(path, task, task.split("test").layout, begin, end,
                   [&](const std::vector<GlueRow>& rows) {
                     ++count;
                     for (const auto& row : rows)
                       texts.push_back(std::to_string(row.row_id) + row.text_a);
                   });
  return texts;
}

TEST(Glue, WindowsOfAFileAreItsRows) {
  std::string lines = "index\tsentence\r\n";
  for (int row = 0; row < 20000; ++row)
    lines += std::to_string(row) + "\tw" + std::to_string(row) + "\n";
  const Root root("SST-2/test.tsv", lines);
  const fs::path file = root.path / "SST-2/test.tsv";
  const Task& task = find_task("SST-2");
  EXPECT_EQ(count_rows(file, task.split("test").layout), 20000);
  const GlueFile whole = root.read("SST-2", "test");
  int count = 0;
  Texts parts = windows(file, 0, 7, count);
  EXPECT_EQ(count, 1);
  const Texts rest = windows(file, 7, 20000, count);
  EXPECT_EQ(count, 3);
  parts.insert(parts.end(), rest.begin(), rest.end());
  ASSERT_EQ(parts.size(), whole.rows.size());
  for (size_t row = 0; row < parts.size(); ++row)
    EXPECT_EQ(parts[row], std::to_string(row) + whole.rows[row].text_a);
  EXPECT_EQ(windows(file, 20000, 30000, count), Texts{});
}

TEST(Glue, WindowsNameTheLinesOfMistakes) {
  const Root root("SST-2/test.tsv", "index\tsentence\n0\ta\n1\n2\tb\tc\n3\td\n");
  const fs::path file = root.path / "SST-2/test.tsv";
  int count = 0;
  EXPECT_EQ(windows(file, 3, 4, count), Texts{"3d"});  // others' rows are not looked at
  const std::string error = error_of([&] { windows(file, 0, 4, count); });
  EXPECT_NE(error.find("test.tsv:3: 1 cells instead of 2"), std::string::npos) << error;
  EXPECT_NE(error.find("test.tsv:4: 3 cells instead of 2"), std::string::npos) << error;
}

}  // namespace
}  // namespace kdbench::glue_test
