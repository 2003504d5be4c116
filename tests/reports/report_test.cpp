// SPDX-License-Identifier: MIT
#include "reports/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/base/error.h"
#include "tests/reports/made_up_run.h"
#include "tests/support/temp_folder.h"
#include "tests/support/user_error.h"

namespace kdbench::report_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::dev_scores;
using ::testing::HasSubstr;
using testing::made_up_run;
using ::testing::Not;
using testing::read_text;
using testing::TempFolder;

const ReportMaker kMaker{"kdbench 0.1.0, commit abc", "kdbench report results --out report",
                         "2026-01-02T03:04:05Z"};

std::vector<json> runs() {
  json done = made_up_run("MRPC", "kd", 1, dev_scores(0.7, 0.8), 10);
  done["command"] = "kdbench run x.toml --set 'a|b'";
  done["git"] = {{"commit", "0123abc"}, {"clean", false}};
  done["build"] = {{"version", "0.1.0"}, {"compiler", "GNU 12"}, {"nccl", nullptr}};
  done["started"] = "2026-01-01T00:00:00Z";
  done["ended"] = "2026-01-01T00:01:00Z";
  done["data"]["splits"]["dev"] = {{"rows", 408}, {"source_sha256", "0123456789abcdef0123"}};
  done["teacher"] = {{"checkpoint", "fedcba9876543210fedc"}};
  done["throughput"]["model_flops_per_s_global"] = 1.5e9;
  done["peak_memory_bytes"] = 930553856;
  return {done, made_up_run("MRPC", "finetune", 1, dev_scores(0.6, 0.8), 10),
          testing::not_done(made_up_run("MRPC", "kd", 2, {}, 1), "stopped", "signal 15")};
}

std::string refusal(const fs::path& folder) {
  return testing::user_error_of([&] { write_report(runs(), folder, kMaker); });
}

TEST(Report, MarkdownTellsHowItWasMade) {
  const TempFolder folder;
  EXPECT_EQ(write_report(runs(), folder / "new/report/", kMaker), folder / "new/report");
  const std::string text = read_text(folder / "new/report/report.md");
  for (const char* part :
       {"# exp\n\n3 runs: 2 done, 0 failed, 1 stopped. Made 2026-01-02T03:04:05Z by `kdbench "
        "report "
        "results --out report` (kdbench 0.1.0, commit abc)",
        "## Comparison\n\n| task | method | n | accuracy | f1 | params (M) |",
        "| MRPC | kd | 1 (1 stopped) | 0.700 | 0.800 | 12.34 | 3 | 96 | 20.0 | 10.0 | 100.0 |",
        "| MRPC | kd | finetune | last | 1 | +0.100 | +0.000 | 1.00 | 1.00 |",
        "| MRPC | kd | last | accuracy | 1 | 0.700 | 0.700 | 0.700 | 1: 0.700 |",
        "## Runs not done\n\n| run | status | reason |\n|---|---|---|\n"
        "| MRPC-kd-s2 | stopped | signal 15 |",
        "| command | `kdbench run x.toml --set 'a\\|b'` | 1 |",
        "| commit | 0123abc, with changes | 1 |", "| build | kdbench 0.1.0, GNU 12 | 1 |",
        "| machine | vm (CPU), 2 ranks x 1 thread | 3 |",
        "| dates (UTC) | 2026-01-01T00:00:00Z to 2026-01-01T00:01:00Z |",
        "| data | MRPC dev: 408 rows, sha256 0123456789abcdef | 1 |",
        "| teacher of | MRPC: checkpoint sha256 fedcba9876543210 | 1 |"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(Report, CountsDamagedRunsApart) {
  const TempFolder folder;
  auto all = runs();
  all.push_back({{"experiment", "exp"},
                 {"run_id", "MRPC-kd-s3"},
                 {"status", "damaged"},
                 {"reason", "run.json is missing"}});
  write_report(all, folder / "report", kMaker);
  const std::string text = read_text(folder / "report/report.md");
  EXPECT_THAT(text, HasSubstr("# exp\n\n4 runs: 2 done, 0 failed, 1 stopped, 1 damaged. Made"));
  EXPECT_THAT(text, HasSubstr("| MRPC-kd-s3 | damaged | run.json is missing |"));
  EXPECT_THAT(text, HasSubstr("| MRPC | kd | 1 (1 stopped) | 0.700 |"));
}

TEST(Report, CsvHasOneRowARun) {
  const TempFolder folder;
  write_report(runs(), folder / "report", kMaker);
  const std::string text = read_text(folder / "report/runs.csv");
  // clang-format off
  EXPECT_EQ(text,
      "experiment,run_id,folder,task,label,method,role,seed,status,reason,checkpoint,last_accuracy,last_f1,best_accuracy,best_f1,"
      "best_epoch,parameters,epochs,steps,samples,init_s,train_s,core_s,compute_s,wait_s,comm_exposed_s,data_s,eval_s,predict_s,"
      "samples_per_s_global,tokens_per_s_global,model_flops_per_s_global,predicted_samples_per_s_global,"
      "peak_memory_bytes,ranks,threads_per_rank,machine,cpus_of_others,git_commit,git_clean,config_hash,teacher_checkpoint,started_utc,ended_utc\n"
      "exp,MRPC-kd-s1,,MRPC,kd,kd,student,1,done,,last,0.7,0.8,0.7,0.8,1,12340000,3,96,1000,,10,20,,,,,,0.1,100,,1500000000,1000,"
      "930553856,2,1,\"vm (CPU), 2 ranks x 1 thread\",,0123abc,false,,fedcba9876543210fedc,2026-01-01T00:00:00Z,2026-01-01T00:01:00Z\n"
      "exp,MRPC-finetune-s1,,MRPC,finetune,finetune,student,1,done,,last,0.6,0.8,0.6,0.8,1,12340000,3,96,1000,,10,20,,,,,,0.1,100,,,1000,"
      ",2,1,\"vm (CPU), 2 ranks x 1 thread\",,,,,,,\n"
      "exp,MRPC-kd-s2,,MRPC,kd,kd,student,2,stopped,signal 15,last,,,,,,,,,,,,,,,,,,,,,,,,2,1,\"vm (CPU), 2 ranks x 1 thread\",,,,,,,\n");
  // clang-format on
}

TEST(Report, AnEarlierReportIsReplaced) {
  const TempFolder folder;
  fs::create_directories(folder / "report");  // an empty folder is no loss
  write_report({runs()[0]}, folder / "report", kMaker);
  EXPECT_THAT(read_text(folder / "report/report.md"), Not(HasSubstr("signal 15")));
  write_report(runs(), folder / "report", kMaker);
  EXPECT_THAT(read_text(folder / "report/report.md"), HasSubstr("signal 15"));
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    names.push_back(entry.path().filename());
  }
  EXPECT_THAT(names, ::testing::ElementsAre("report"));
}

TEST(Report, NothingElseIsOverwritten) {
  const TempFolder folder;
  folder.write("results/run/run.json", "{}");
  EXPECT_THAT(refusal(folder / "results"), HasSubstr("is there already, and is no report"));
  write_report(runs(), folder / "report", kMaker);
  folder.write("report/my notes.txt", "keep me");
  EXPECT_THAT(refusal(folder / "report"), HasSubstr("holds my notes.txt, which is not a report's"));
  folder.write("file", "");
  EXPECT_THAT(refusal(folder / "file"), HasSubstr("is a file"));
  EXPECT_EQ(read_text(folder / "report/my notes.txt"), "keep me");
  EXPECT_EQ(read_text(folder / "results/run/run.json"), "{}");
}

}  // namespace
}  // namespace kdbench::report_test
