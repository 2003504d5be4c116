// SPDX-License-Identifier: MIT
// The plain form (stderr is no terminal here).
#include "suite/training/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace kdbench::progress_test {
namespace {

using ::testing::MatchesRegex;

std::string shown(int64_t steps, bool active) {
  ::testing::internal::CaptureStderr();
  {
    Log log;
    Progress progress("RTE kd seed 1", log, active);
    for (int64_t step = 1; step <= steps; ++step) progress.step(step, steps, 0.5, 8);
    progress.note("epoch 1 dev accuracy 0.7000");
  }
  return ::testing::internal::GetCapturedStderr();
}

TEST(Progress, OneLineAnEpoch) {
  EXPECT_THAT(shown(1000, true),
              MatchesRegex("....-..-.. ..:..:.. RTE kd seed 1: epoch 1 dev accuracy 0.7000  step "
                           "1000/1000  loss 0.5000  .* samples/s  0 s left\n"));
}

TEST(Progress, OtherRanksAreSilent) { EXPECT_EQ(shown(100, false), ""); }

std::string shown_of_a_pass(std::chrono::milliseconds quiet, bool active, int ranks = 2) {
  ::testing::internal::CaptureStderr();
  Log log;
  PassProgress progress("RTE kd seed 1, predicting test", 1000, ranks, log, active, quiet);
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    progress.seen(100);
  }
  return ::testing::internal::GetCapturedStderr();
}

TEST(PassProgress, ALineWhenItTakesLonger) {
  using std::chrono_literals::operator""ms;
  EXPECT_THAT(shown_of_a_pass(30ms, true),  // at its second step; the next line a minute later
              MatchesRegex("....-..-.. ..:..:.. RTE kd seed 1, predicting test:  40%  .* samples/s "
                           " . s left\n"));
  EXPECT_EQ(shown_of_a_pass(10000ms, true), "");
  EXPECT_EQ(shown_of_a_pass(0ms, false), "");
}

TEST(PassProgress, IsNeverBeyondItsEnd) {
  using std::chrono_literals::operator""ms;
  EXPECT_THAT(shown_of_a_pass(50ms, true, 7), ::testing::HasSubstr("test: 100%"));
}

TEST(Progress, Durations) {
  EXPECT_EQ(duration_text(3.4), "3 s");
  EXPECT_EQ(duration_text(125), "2 min 05 s");
  EXPECT_EQ(duration_text(3720), "1 h 02 min");
}

}  // namespace
}  // namespace kdbench::progress_test
