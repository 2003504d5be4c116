// SPDX-License-Identifier: MIT
// The real GLUE files against digests of their texts and labels that another program computed, and
// against the counts of the data's own documentation.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "io/base/sha256.h"
#include "io/tasks/glue.h"
#include "tests/io/rank_folder.h"
#include "tests/support/shared_data.h"

namespace kdbench::glue_files_test {
namespace {

namespace fs = std::filesystem;
using testing::RankFolder;

struct RealFile {
  const char *task, *split, *source;  // below shared/data/glue
  int64_t rows;
  std::map<std::string, int64_t> labels;  // empty: not counted
  const char* digest;                     // sha256 of "<text_a>\n<text_b>\n<label>\n" of all rows
};

// The counts are those of the data's documentation.
const std::vector<RealFile>& real_files() {
  static const std::vector<RealFile> files{
      {"CoLA",
       "train",
       "CoLA/train.tsv",
       8551,
       {{"0", 2528}, {"1", 6023}},
       "ccd63f028b8ef16c175dd1e0d54148d71a07634babfb28a231a6996255ddec70"},
      {"CoLA",
       "dev",
       "CoLA/dev.tsv",
       1043,
       {{"0", 322}, {"1", 721}},
       "c3316595d67612a29073df55c32e05ac8a21f9ec5116f7a006b3aaca1bfd0966"},
      {"CoLA",
       "test",
       "CoLA/test.tsv",
       1063,
       {},
       "b39bdfe04e2924b2c5379491ba823235ca088a77c9ec8cc031a1b97fa1516fc1"},
      {"SST-2",
       "train",
       "SST-2/train.tsv",
       67349,
       {{"0", 29780}, {"1", 37569}},
       "7cc9ed5ef94eee20044eb4ec5416c36b7ebd8d4c8ea12a550fe0409b34c6f57e"},
      {"SST-2",
       "dev",
       "SST-2/dev.tsv",
       872,
       {{"0", 428}, {"1", 444}},
       "26336b0d13bab029d753a744103b29c2c44091b307a7aa00b62f7607f6cc2d70"},
      {"SST-2",
       "test",
       "SST-2/test.tsv",
       1821,
       {},
       "b7f917b752db720c507f18fe79f9b9384ca9baab3806b695ca1e807c0631c607"},
      {"MRPC",
       "train",
       "MRPC/train.tsv",
       3668,
       {{"0", 1194}, {"1", 2474}},
       "a229e2836135309fed575f16a3d21d724e5615d629ef53c4846cde86bf860eaf"},
      {"MRPC",
       "dev",
       "MRPC/dev.tsv",
       408,
       {{"0", 129}, {"1", 279}},
       "2007226a20edbdc7115ea9bf3c5b4e2bb6d816c57c0dcee4112e31f0c96ec9f2"},
      {"MRPC",
       "test",
       "MRPC/test.tsv",
       1725,
       {},
       "dd33fe75379709cfaa055b318b9e4089de42aed06aaaf7adb6e9f55de63863fc"},
      {"STS-B",
       "train",
       "STS-B/train.tsv",
       5749,
       {},
       "aaecbeaf5d7ab9887373b6fd480531e94cad2f5fda1930c5a03d2c53be54159f"},
      {"STS-B",
       "dev",
       "STS-B/dev.tsv",
       1500,
       {},
       "0c0978b218f267d686d5270264aadf26565f91c65e22317336951c0640b32715"},
      {"STS-B",
       "test",
       "STS-B/test.tsv",
       1379,
       {},
       "402e006dc514afeacef5ce5c030a33012cd00617b6198125ea1d5b4feb99f6de"},
      {"QQP",
       "train",
       "QQP/train.subset9999.rebuilt.tsv",
       9999,
       {{"0", 6370}, {"1", 3629}},
       "f6368b156f4588c426dd0f8e6e1d7a75365acc133867d61d2db3d79fd4bbfdd8"},
      {"QQP",
       "train",
       "QQP/train.kshot320.tsv",
       320,
       {{"0", 160}, {"1", 160}},
       "0654eb7aa08353f82943b5f813e8c7ede2196b4a5626ded9bf5b48ec0fbb5fb0"},
      {"MNLI",
       "train",
       "MNLI/train.subset9999.rebuilt.tsv",
       9999,
       {{"contradiction", 3278}, {"entailment", 3408}, {"neutral", 3313}},
       "0784c9f36fb2c84b76f73adcb936c4d03eaecffbe58f17b950ef2054befa17a5"},
      {"MNLI",
       "train",
       "MNLI/train.kshot480.tsv",
       480,
       {{"contradiction", 160}, {"entailment", 160}, {"neutral", 160}},
       "68fa7039d49939b6d95a24e89a93e2efe7457d02fd3bef47ebd5f21cdc3163fa"},
      {"MNLI",
       "dev_matched",
       "MNLI/dev_matched.rebuilt.tsv",
       9815,
       {{"contradiction", 3213}, {"entailment", 3479}, {"neutral", 3123}},
       "d8674acd49a657149a74f637098a1572fccb5eee45452480dd1d0f4fff5d967f"},
      {"MNLI",
       "dev_mismatched",
       "MNLI/dev_mismatched.subset1000.tokenized.tsv",
       1000,
       {{"contradiction", 335}, {"entailment", 346}, {"neutral", 319}},
       "b62c7512560bdcbbcb51cd05dc904a85a9bf31df3f3740e68b4c065dcdfe78c0"},
      {"QNLI",
       "train",
       "QNLI/train.subset9999.rebuilt.tsv",
       9999,
       {{"entailment", 5027}, {"not_entailment", 4972}},
       "4244200c3f338bbf6ce7c3eb72137d712116fc1ff69a1ee8e3cdd03c2a386b19"},
      {"QNLI",
       "train",
       "QNLI/train.kshot320.tsv",
       320,
       {{"entailment", 160}, {"not_entailment", 160}},
       "629e67d4e38280b0bd50715f0993752f56e8ca6a97683ab1cd69688d22a923f7"},
      {"QNLI",
       "dev",
       "QNLI/dev.tsv",
       5463,
       {{"entailment", 2702}, {"not_entailment", 2761}},
       "65d9b6f1ede1001262ece296799f74a8ea8483dd503651952879b5aa93fe80fb"},
      {"QNLI",
       "test",
       "QNLI/test.tsv",
       5463,
       {},
       "241b078adad9a43c27d02f344f3c1425209fa19c77fb7de154f582eb14613cd1"},
      {"RTE",
       "train",
       "RTE/train.tsv",
       2490,
       {{"entailment", 1249}, {"not_entailment", 1241}},
       "808f5b4f15b04a4fd9e81cd93a52a7fddbabe00b5c5d54065ddb5da7065903b5"},
      {"RTE",
       "dev",
       "RTE/dev.tsv",
       277,
       {{"entailment", 146}, {"not_entailment", 131}},
       "587f37d37cd721006e4b1c0cfbf20cff0497c4062500c88ce641e774b2d3801c"},
      {"RTE",
       "test",
       "RTE/test.tsv",
       3000,
       {},
       "cf99c26a32b7184984a32fe32d1977575e55fc71111453d79b442b8ba6efb4dd"},
      {"WNLI",
       "train",
       "WNLI/train.tsv",
       635,
       {{"0", 323}, {"1", 312}},
       "590611b07e82ab1115215178244b1bbcc15447d2a7615dd398d8db547549acab"},
      {"WNLI",
       "dev",
       "WNLI/dev.tsv",
       71,
       {{"0", 40}, {"1", 31}},
       "a75e0ac6602fc115dfb5d2d6405c55716c5bf44b2f410ba169808685fbb6ee78"},
      {"WNLI",
       "test",
       "WNLI/test.tsv",
       146,
       {},
       "39cbc5973d1e33fc392316cd47720b76f2dd1de3b13112a4e3b1cb8ce68a5760"},
      {"AX",
       "diagnostic",
       "diagnostic/diagnostic.tsv",
       1104,
       {},
       "f2d4a5ef1119dce9071bc35620c385ae3798ad4543a8cbea891b71c339e2d76d"},
  };
  return files;
}

TEST(GlueParity, RealFiles) {
  KDBENCH_NEED_SHARED(glue, "data/glue");
  const RankFolder folder;
  for (const RealFile& expected : real_files()) {
    SCOPED_TRACE(expected.source);
    const Task& task = find_task(expected.task);
    // Partial files have other names; under the official one they are read like the real ones.
    const fs::path link = glue_path(folder.path, task, expected.split);
    fs::create_directories(link.parent_path());
    fs::remove(link);
    fs::create_symlink(fs::absolute(glue / expected.source), link);

    const GlueFile file = read_glue(folder.path, task, expected.split);
    EXPECT_EQ(file.short_rows, 0);
    ASSERT_EQ(static_cast<int64_t>(file.rows.size()), expected.rows);
    std::map<std::string, int64_t> labels;
    Sha256 hash;
    for (size_t i = 0; i < file.rows.size(); ++i) {
      const GlueRow& row = file.rows[i];
      ASSERT_EQ(row.row_id, static_cast<int64_t>(i));
      if (!row.label.empty()) ++labels[row.label];
      hash.update(row.text_a + "\n" + row.text_b + "\n" + row.label + "\n");
    }
    if (!task.regression()) {
      EXPECT_EQ(labels, expected.labels);
    }
    EXPECT_EQ(hash.hex(), expected.digest);
  }
}

TEST(GlueParity, FirstRowsOfRealFiles) {
  KDBENCH_NEED_SHARED(glue, "data/glue");
  const auto first = [&](const char* task, const char* split) {
    return read_glue(glue, find_task(task), split, 1).rows.at(0);
  };
  EXPECT_EQ(first("SST-2", "dev").text_a, "it 's a charming and often affecting journey . ");
  EXPECT_EQ(first("CoLA", "dev").text_a, "The sailors rode the breeze clear of the rocks.");
  EXPECT_EQ(first("MRPC", "train").text_a,
            "Amrozi accused his brother , whom he called \" the witness \" , of deliberately "
            "distorting his evidence .");
  EXPECT_EQ(first("STS-B", "dev").text_b, "A man wearing a hard hat is dancing.");
  EXPECT_EQ(first("STS-B", "dev").label, "5.000");
}

TEST(GlueParity, DataOfTheTrainingFixtures) {
  KDBENCH_NEED_SHARED(parity, "fixtures/parity");
  int64_t files = 0;
  for (const auto& fixture : fs::directory_iterator(parity)) {
    if (!fs::is_directory(fixture.path() / "data")) continue;
    for (const auto& folder : fs::directory_iterator(fixture.path() / "data")) {
      const Task& task = find_task(folder.path().filename().string());
      for (const auto& file : fs::directory_iterator(folder)) {
        EXPECT_FALSE(
            read_glue(fixture.path() / "data", task, file.path().stem().string()).rows.empty());
        ++files;
      }
    }
  }
  EXPECT_GE(files, 50);
}

}  // namespace
}  // namespace kdbench::glue_files_test
