// SPDX-License-Identifier: MIT
// The plain form (stderr is no terminal here).
#include "suite/training/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace kdbench::progress_test {
namespace {

using ::testing::HasSubstr;

std::string shown(int64_t steps, bool active) {
  ::testing::internal::CaptureStderr();
  {
    Progress progress("RTE kd seed 1", active);
    for (int64_t step = 1; step <= steps; ++step) progress.step(step, steps, 0.5, 8);
    progress.note("epoch 1: accuracy 0.7");
  }
  return ::testing::internal::GetCapturedStderr();
}

TEST(Progress, PlainLinesAtEveryTenthOfTheSteps) {
  const std::string text = shown(1000, true);
  // The first step, ten tenths and the note.
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 12);
  EXPECT_THAT(text, HasSubstr("RTE kd seed 1:   0%  step 1/1000  loss 0.5000  "));
  EXPECT_THAT(text, HasSubstr("RTE kd seed 1: 100%  step 1000/1000"));
  EXPECT_THAT(text, HasSubstr("samples/s  0 s left\n"));
  EXPECT_THAT(text, HasSubstr("\nepoch 1: accuracy 0.7\n"));
  EXPECT_EQ(text.find('\r'), std::string::npos);
}

TEST(Progress, OtherRanksAreSilent) { EXPECT_EQ(shown(100, false), ""); }

TEST(Progress, Durations) {
  EXPECT_EQ(duration_text(3.4), "3 s");
  EXPECT_EQ(duration_text(125), "2 min 05 s");
  EXPECT_EQ(duration_text(3720), "1 h 02 min");
}

}  // namespace
}  // namespace kdbench::progress_test
