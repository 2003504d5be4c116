// SPDX-License-Identifier: MIT
// What other processes took of the CPUs, and what runs say of it.
#include "suite/machine/cpu_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <thread>

#include "reports/run_files.h"
#include "suite/machine/provenance.h"
#include "suite/walks/make.h"
#include "tests/suite/tiny_experiment.h"

namespace kdbench::cpu_watch_test {
namespace {

using namespace std::chrono_literals;

const std::string kStat =
    "cpu  60 9 30 1000 5 7 8 9 0 0\n"
    "cpu0 50 4 10 500 5 7 8 9 0 0\n"
    "cpu1 10 5 20 500 0 0 0 0 0 0\n"
    "intr 12 3\n";

TEST(BusySeconds, OfTheNamedCpusWhatProcessesHad) {
  EXPECT_DOUBLE_EQ(busy_seconds(kStat, {0}, 100).value(), 0.64);
  EXPECT_DOUBLE_EQ(busy_seconds(kStat, {0, 1}, 100).value(), 0.99);
  EXPECT_FALSE(busy_seconds(kStat, {0, 2}, 100).has_value());
  EXPECT_FALSE(busy_seconds("", {0}, 100).has_value());
}

TEST(CpuUse, IsSharedWhereOthersTakeWhatTheRanksHaveWorkFor) {
  CpuUse use{"node1", 4, 4.0, 0.4};
  EXPECT_FALSE(use.shared());
  use.others = 0.6;
  EXPECT_TRUE(use.shared());
  EXPECT_EQ(use.warning(),
            "host node1: other processes use about 0.6 of 4 cores: times are not comparable");
  use.threads = 3.0;  // one CPU is to spare
  EXPECT_FALSE(use.shared());
  use.others = 1.6;
  EXPECT_TRUE(use.shared());
  use.others.reset();
  EXPECT_FALSE(use.shared());
}

void spin_until(std::chrono::steady_clock::time_point end) {
  while (std::chrono::steady_clock::now() < end) {
  }
}

double own_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// What this process takes is not counted as others'.
TEST(CpuWatch, LeavesOutItsOwnProcess) {
  const Control control;
  const CpuWatch watch(control, 1);
  const double before = own_seconds();
  spin_until(std::chrono::steady_clock::now() + 500ms);
  const double own = (own_seconds() - before) / 0.5;
  const auto use = watch.use();
  ASSERT_EQ(use.size(), 1U);
  ASSERT_TRUE(use[0].others.has_value());
  EXPECT_LE(*use[0].others, use[0].cpus - own + 0.25);
}

// Processes that are at work while it lives.
class Others {
 public:
  explicit Others(int count) {
    for (int i = 0; i < count; ++i) {
      const pid_t other = fork();
      if (other == 0) {
        spin_until(std::chrono::steady_clock::now() + 60s);
        _exit(0);
      }
      processes_.push_back(other);
    }
  }
  ~Others() {
    for (const pid_t other : processes_) {
      kill(other, SIGKILL);
      waitpid(other, nullptr, 0);
    }
  }
  Others(const Others&) = delete;
  Others& operator=(const Others&) = delete;

 private:
  std::vector<pid_t> processes_;
};

TEST(CpuWatch, CountsAnotherProcess) {
  const Others others(1);
  const Control control;
  const CpuWatch watch(control, 1);
  watch.wait_for(500ms);
  const auto use = watch.use();
  EXPECT_GE(use.at(0).others.value(), 0.25);
}

class SharedCpus : public testing::TinyExperiment {};

TEST_F(SharedCpus, StandInTheRecord) {
  // Long enough for the kernel's count of hundredths.
  const auto made = make_experiment(
      load({"train.seeds=[1]", "train.epochs=200", "teacher.train.epochs=200"}), workspace());
  for (const auto& folder : made.runs) {
    const auto host = read_run_json(folder).at("system").at("hosts").at(0);
    EXPECT_TRUE(host.at("load_1min").is_number());
    EXPECT_TRUE(host.at("cpus_of_others").is_number()) << host;
    EXPECT_TRUE(host.at("cpus_shared").is_boolean());
  }
}

TEST_F(SharedCpus, AreWarnedOfBeforeAndSaidInTheRecord) {
  const int cpus = usable_cpus();
  if (cpus > 16) GTEST_SKIP() << "keeps all " << cpus << " cores busy";
  const Others others(2 * cpus);
  Workspace told = workspace();
  told.threads = cpus;
  told.log = std::make_shared<Log>();
  ::testing::internal::CaptureStderr();
  const auto made = make_experiment(
      load({"train.seeds=[1]", "train.epochs=200", "teacher.train.epochs=200"}), told);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(said,
              ::testing::ContainsRegex("warning: host .*: other processes use about [0-9.]+ of "
                                       "[0-9]+ cores?: times are not comparable"));
  for (const auto& folder : made.runs) {
    const auto host = read_run_json(folder).at("system").at("hosts").at(0);
    EXPECT_EQ(host.at("cpus_shared"), true) << host;
  }
}

}  // namespace
}  // namespace kdbench::cpu_watch_test
