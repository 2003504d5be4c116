// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "suite/stages/sources/source.h"

namespace kdbench::one_class_test {
namespace {

bool one_class(int64_t classes, const std::vector<float>& logits) {
  TeacherSlice outputs;
  outputs.classes = classes;
  outputs.logits = logits;
  outputs.row_ids.resize(logits.size() / static_cast<size_t>(classes));
  return says_one_class(TeacherSplit(outputs));
}

TEST(OneClass, TheLargestLogitIsTheSameOnAllRows) {
  EXPECT_TRUE(one_class(2, {1, 2, -3, -1, 0, 9}));
  EXPECT_FALSE(one_class(2, {1, 2, -3, -1, 9, 0}));
  EXPECT_FALSE(one_class(3, {1, 2, 0, 0, 1, 2}));
  EXPECT_TRUE(one_class(3, {0, 1, 2}));
  EXPECT_FALSE(one_class(1, {1, 2}));  // scores
}

}  // namespace
}  // namespace kdbench::one_class_test
