// SPDX-License-Identifier: MIT
// What errors look like to a user.
#include "io/base/error.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <new>

#include "io/base/foreign_error.h"
#include "io/base/text.h"
#include "tests/io/rank_folder.h"

namespace kdbench::error_test {
namespace {

TEST(Problems, AFileThatIsSomethingElseDoesNotFillTheScreen) {
  Problems problems;
  for (int i = 1; i <= 1000; ++i) problems.add("file:" + std::to_string(i), "is wrong");
  const std::string text = testing::error_of([&] { problems.throw_if_any("file"); });
  EXPECT_HAS(text, "file: 1000 problems:\n  file:1: is wrong\n");
  EXPECT_HAS(text, "\n  file:50: is wrong\n  ... and 950 more");
  EXPECT_EQ(text.find("file:51"), std::string::npos);
}

TEST(Problems, ListsInListsAreIndented) {
  Problems inner, outer;
  inner.add("a:1", "is wrong");
  inner.add("a:2", "is wrong");
  outer.collect([&] { inner.throw_if_any("a"); });
  outer.add("b", "is gone");
  EXPECT_EQ(
      testing::error_of([&] { outer.throw_if_any("all"); }),
      "all: 2 problems:\n  a: 2 problems:\n    a:1: is wrong\n    a:2: is wrong\n  b: is gone");
}

TEST(ForeignError, MemoryThatCouldNotBeHadIsNamedInOneLine) {
  std::string text;
  try {
    at::empty({int64_t{1} << 60});
  } catch (const std::exception& error) {
    text = as_error(error, "rank 1 of 2").what();
  }
  EXPECT_EQ(text.find("rank 1 of 2: out of memory: 4611686018427387904 bytes could not be had ("),
            0u)
      << text;
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_HAS(std::string(as_error(std::bad_alloc(), "").what()), "out of memory (");
}

TEST(ForeignError, LibrariesFramesAreLeftOut) {
  std::string text;
  try {
    at::ones({2}).view({3});
  } catch (const std::exception& error) {
    const Error own = as_error(error, "");
    EXPECT_EQ(own.code(), ExitCode::kMachine);
    text = own.what();
  }
  EXPECT_HAS(text, "shape '[3]' is invalid");
  EXPECT_EQ(text.find("frame #"), std::string::npos) << text;
}

TEST(ForeignError, OwnErrorsStayAsTheyAre) {
  Error error(ExitCode::kUserInput, "here", "is wrong", "mend it");
  error.on_every_rank = true;
  const Error same = as_error(error, "elsewhere");
  EXPECT_EQ(same.code(), ExitCode::kUserInput);
  EXPECT_STREQ(same.what(), "here: is wrong (mend it)");
  EXPECT_TRUE(same.on_every_rank);
}

TEST(Printable, QuotesAFileWithoutHarm) {
  EXPECT_EQ(printable("na\xC3\xAFve"), "na\xC3\xAFve");
  EXPECT_EQ(printable(std::string("a\0b\x1B[2J\x7F", 8)), "a?b?[2J?");
  EXPECT_EQ(printable("a\xFF\xFE"), "a??");
  EXPECT_EQ(printable(std::string(1000, 'x')), std::string(80, 'x') + "...");
  EXPECT_EQ(printable(std::string(80, 'x')), std::string(80, 'x'));
}

}  // namespace
}  // namespace kdbench::error_test
