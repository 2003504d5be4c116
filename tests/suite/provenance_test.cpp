// SPDX-License-Identifier: MIT
#include "suite/machine/provenance.h"

#include <gtest/gtest.h>

#include <cstring>

namespace kdbench::provenance_test {
namespace {

constexpr int64_t kMegabyte = 1 << 20;

// Large blocks go back to the system when they are freed.
void touch(size_t bytes) {
  const std::unique_ptr<char[]> block(new char[bytes]);
  std::memset(block.get(), 1, bytes);
  ASSERT_EQ(block[bytes - 1], 1);
}

TEST(PeakMemory, IsThatSinceTheReset) {
  reset_peak_memory();
  const int64_t before = peak_memory_bytes();
  touch(256 * kMegabyte);
  EXPECT_GT(peak_memory_bytes(), before + 250 * kMegabyte);
  reset_peak_memory();
  EXPECT_LT(peak_memory_bytes(), before + 50 * kMegabyte);
}

}  // namespace
}  // namespace kdbench::provenance_test
