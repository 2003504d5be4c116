// SPDX-License-Identifier: MIT
// Expected values: FIPS 180-2, appendix B, and coreutils' sha256sum.
#include "io/base/sha256.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/io/rank_folder.h"

namespace kdbench::sha256_test {
namespace {

constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kMillionA =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, Text) {
  EXPECT_EQ(sha256(""), kEmpty);
  EXPECT_EQ(sha256("abc"), kAbc);
  EXPECT_EQ(Sha256().update("a").update("").update("bc").hex(), kAbc);
}

TEST(Sha256, Files) {
  const testing::RankFolder folder;
  testing::write_bytes(folder.path / "empty", "");
  testing::write_bytes(folder.path / "abc", "abc");
  testing::write_bytes(folder.path / "long", std::string(1000000, 'a'));
  testing::write_bytes(folder.path / "longer", std::string(3000000, 'a'));  // several pieces
  EXPECT_EQ(file_sha256(folder.path / "empty"), kEmpty);
  EXPECT_EQ(file_sha256(folder.path / "abc"), kAbc);
  EXPECT_EQ(file_sha256(folder.path / "long"), kMillionA);
  EXPECT_EQ(file_sha256(folder.path / "longer"), sha256(std::string(3000000, 'a')));
}

// Its hash is remembered (it is old enough), and still never outlives a change.
TEST(Sha256, AChangedFileIsReadAgain) {
  namespace fs = std::filesystem;
  const testing::RankFolder folder;
  const auto path = folder.path / "file";
  testing::write_bytes(path, "xyz");
  const auto long_ago = fs::last_write_time(path) - std::chrono::hours(1);
  fs::last_write_time(path, long_ago);
  EXPECT_EQ(file_sha256(path), sha256("xyz"));
  EXPECT_EQ(file_sha256(path), sha256("xyz"));
  testing::write_bytes(path, "abc");
  fs::last_write_time(path, long_ago);  // the same size and time of modification
  EXPECT_EQ(file_sha256(path), kAbc);
  testing::write_bytes(folder.path / "other", "");
  fs::rename(folder.path / "other", path);
  EXPECT_EQ(file_sha256(path), kEmpty);
}

TEST(Sha256, FileThatCannotBeRead) {
  const testing::RankFolder folder;
  for (const auto& path : {folder.path / "none", folder.path}) {
    const std::string error = testing::error_of([&] { file_sha256(path); });
    EXPECT_HAS(error, path.string() + ": the file cannot be read");
  }
}

}  // namespace
}  // namespace kdbench::sha256_test
