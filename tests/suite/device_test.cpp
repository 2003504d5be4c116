// SPDX-License-Identifier: MIT
#include "suite/machine/device.h"

#include <gtest/gtest.h>

#include "io/base/error.h"
#include "tests/support/user_error.h"

namespace kdbench::device_test {
namespace {

TEST(ChosenGpu, IsThatOfTheLocalRank) {
  EXPECT_EQ(chosen_gpu({"a", 0, {"x", "y"}}), 0);
  EXPECT_EQ(chosen_gpu({"a", 1, {"x", "y"}}), 1);
  EXPECT_EQ(chosen_gpu({"a", 1, {"y"}}), 0);  // a launcher that shows each rank its own
  EXPECT_EQ(chosen_gpu({"a", 0, {}}), -1);
}

TEST(GpuShortage, IsNoneWhereEachRankHasItsOwn) {
  EXPECT_EQ(gpu_shortage({{"a", 0, {"x", "y"}}, {"a", 1, {"x", "y"}}, {"b", 0, {"z"}}}), "");
  EXPECT_EQ(gpu_shortage({{"a", 0, {"x"}}, {"a", 1, {"y"}}}), "");
}

TEST(GpuShortage, NamesHostsRanksAndGpus) {
  EXPECT_EQ(gpu_shortage({{"a", 0, {"x"}}, {"a", 1, {"x"}}}), "host a has 2 ranks and 1 GPU");
  EXPECT_EQ(gpu_shortage(
                {{"b", 0, {}}, {"a", 0, {"x", "y"}}, {"a", 1, {"x", "y"}}, {"a", 2, {"x", "y"}}}),
            "host a has 3 ranks and 2 GPUs, host b has 1 rank and 0 GPUs");
}

TEST(ChooseDevice, TakesTheCpuWhereThereIsNoGpu) {
  const Control control(MPI_COMM_WORLD);
  EXPECT_TRUE(choose_device(control, "cpu").is_cpu());
  EXPECT_EQ(device_text(c10::kCPU), "cpu");
  if (!visible_gpus().empty()) GTEST_SKIP() << "there is a GPU";
  EXPECT_TRUE(choose_device(control, "auto").is_cpu());
  const std::string error = testing::user_error_of([&] { choose_device(control, "cuda"); });
  EXPECT_NE(error.find(built_for_gpus() ? "shows no GPU" : "built without CUDA"), std::string::npos)
      << error;
}

}  // namespace
}  // namespace kdbench::device_test
