// SPDX-License-Identifier: MIT
// What every run looks at before it works.
#include "suite/machine/self_check.h"

#include <gtest/gtest.h>

#include "suite/machine/stopwatch.h"
#include "tests/io/rank_folder.h"

namespace kdbench::self_check_test {
namespace {

class SelfCheckTest : public ::testing::Test {
 protected:
  Control control{MPI_COMM_WORLD};
  std::unique_ptr<Collectives> collectives = make_collectives(control, at::kCPU);
  Workspace workspace{control, *collectives, at::kCPU, 1, ".", "self check test"};
};

TEST_F(SelfCheckTest, NothingIsSaidOfSoundRanksInHalfASecond) {
  const auto started = std::chrono::steady_clock::now();
  EXPECT_TRUE(start_checks(workspace).empty());
  EXPECT_LT(control.max(seconds_since(started)), 0.5);
}

TEST_F(SelfCheckTest, AllRanksRunTheSameProgram) {
  EXPECT_EQ(check_program(control).verdict, Verdict::kGood);
}

TEST_F(SelfCheckTest, ADifferenceBetweenRanksIsNamed) {
  require_same(control, "same", "x.toml", "experiment", "the hint");
  if (control.size() == 1) return;
  const std::string error = testing::error_of(
      [&] {
        require_same(control, control.rank() == 1 ? "other" : "same", "x.toml", "experiment",
                     "the hint");
      },
      ExitCode::kMachine);
  EXPECT_HAS(error, "rank 1 (");
  EXPECT_HAS(error, "has another experiment than rank 0 (");
  EXPECT_HAS(error, "the hint");
}

}  // namespace
}  // namespace kdbench::self_check_test
