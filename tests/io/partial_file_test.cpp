// SPDX-License-Identifier: MIT
#include "io/base/partial_file.h"

#include <gtest/gtest.h>

#include "tests/io/rank_folder.h"

namespace kdbench::partial_file_test {
namespace {

using testing::error_of;
using testing::RankFolder;

void write(const std::filesystem::path& path, const std::string& text) {
  PartialFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

TEST(PartialFile, AppearsWhenItIsComplete) {
  const RankFolder folder;
  const auto path = folder.path / "a";
  {
    PartialFile file(path);
    file.write("text", 4);
    EXPECT_FALSE(std::filesystem::exists(path));
    file.commit();
  }
  EXPECT_EQ(testing::file_bytes(path), "text");
  EXPECT_FALSE(std::filesystem::exists(partial_path(path)));
}

TEST(PartialFile, OneThatIsNotCommittedLeavesNothing) {
  const RankFolder folder;
  { PartialFile(folder.path / "a").write("text", 4); }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path));
}

// Somebody removed it during a run: what it held is missing for ever.
TEST(PartialFile, AFolderThatIsGoneIsNotMadeAnew) {
  const RankFolder folder;
  const auto gone = folder.path / "gone";
  EXPECT_HAS(error_of([&] { write(gone / "a", "text"); }, ExitCode::kMachine),
             "gone/a: cannot be written: No such file or directory");
  EXPECT_HAS(error_of([&] { make_subfolder(gone / "sub"); }, ExitCode::kMachine),
             "gone/sub: cannot be made: No such file or directory");
  EXPECT_FALSE(std::filesystem::exists(gone));
  make_folder_of(gone / "sub" / "a");
  make_subfolder(gone / "sub");
  write(gone / "sub" / "a", "text");
  EXPECT_EQ(testing::file_bytes(gone / "sub" / "a"), "text");
}

}  // namespace
}  // namespace kdbench::partial_file_test
