// SPDX-License-Identifier: MIT
// Every rank runs the same tests; expectations are written for any number of ranks.
#include "suite/ranks/control.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "io/base/error.h"

namespace kdbench::control_test {
namespace {

class ControlTest : public ::testing::Test {
 protected:
  Control control{MPI_COMM_WORLD};
  int rank = control.rank();
  int size = control.size();
};

TEST_F(ControlTest, RanksOfOneHostAreNumbered) {
  EXPECT_EQ(control.local_size(), size);
  EXPECT_EQ(control.local_rank(), rank);
  EXPECT_EQ(control.root(), rank == 0);
}

TEST_F(ControlTest, FlagsAgree) {
  EXPECT_TRUE(control.any(rank == size - 1));
  EXPECT_FALSE(control.any(false));
  EXPECT_TRUE(control.all(true));
  EXPECT_FALSE(control.all(rank != size - 1));
}

TEST_F(ControlTest, ScalarsReduce) {
  EXPECT_EQ(control.sum(int64_t{rank + 1}), size * (size + 1) / 2);
  EXPECT_EQ(control.min(int64_t{-rank}), 1 - size);
  EXPECT_EQ(control.max(int64_t{1} << 40), int64_t{1} << 40);
  EXPECT_DOUBLE_EQ(control.sum(0.5), 0.5 * size);
  EXPECT_DOUBLE_EQ(control.min(1.5 + rank), 1.5);
  EXPECT_DOUBLE_EQ(control.max(1.5 + rank), 0.5 + size);
}

TEST_F(ControlTest, VectorsReduceElementWise) {
  std::vector<double> sums{1.0, static_cast<double>(rank)}, tops = sums, none;
  control.sum(sums);
  control.max(tops);
  control.sum(none);
  EXPECT_EQ(sums, (std::vector<double>{1.0 * size, size * (size - 1) / 2.0}));
  EXPECT_EQ(tops, (std::vector<double>{1.0, size - 1.0}));
}

// Rank r contributes r values, so rank 0 none.
TEST_F(ControlTest, GatherKeepsTheOrderOfRanks) {
  std::vector<int64_t> expected;
  for (int r = 0; r < size; ++r) expected.insert(expected.end(), r, 100 + r);
  const auto all = control.gather(std::vector<int64_t>(rank, 100 + rank));
  EXPECT_EQ(all, expected);
  EXPECT_EQ(control.gather(std::vector<float>(rank, 100.0F + rank)),
            std::vector<float>(all.begin(), all.end()));
  EXPECT_EQ(control.gather(std::vector<double>(rank, 100.0 + rank)),
            std::vector<double>(all.begin(), all.end()));
  EXPECT_TRUE(control.gather(std::vector<double>{}).empty());
}

TEST_F(ControlTest, TextsGather) {
  const auto texts = control.gather(std::string(rank, 'x') + std::string(1, '\0'));
  ASSERT_EQ(texts.size(), static_cast<size_t>(size));
  for (int r = 0; r < size; ++r) EXPECT_EQ(texts[r], std::string(r, 'x') + std::string(1, '\0'));
}

TEST_F(ControlTest, BroadcastSendsTheRootsBytes) {
  EXPECT_EQ(control.broadcast(rank == 0 ? std::string("a\0b", 3) : "other"),
            std::string("a\0b", 3));
  EXPECT_EQ(control.broadcast(rank == 0 ? "" : "other"), "");
}

TEST_F(ControlTest, AgreePassesWhenNobodyThrows) {
  int calls = 0;
  control.agree([&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST_F(ControlTest, LowestRanksErrorReachesAllRanks) {
  const int first = size > 1 ? 1 : 0;
  try {
    control.agree([&] {
      if (rank >= first) {
        throw Error(ExitCode::kUserInput, "train.tsv:" + std::to_string(rank), "three cells",
                    "two are expected");
      }
    });
    FAIL() << "no error on rank " << rank;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUserInput);
    EXPECT_EQ(error.where(), "train.tsv:" + std::to_string(first));
    EXPECT_EQ(error.message(), "three cells");
    EXPECT_EQ(error.hint(), "two are expected");
    EXPECT_TRUE(error.on_every_rank);
  }
}

TEST_F(ControlTest, OtherExceptionsBecomeMachineErrors) {
  try {
    control.agree([&] {
      if (rank == size - 1) throw std::out_of_range("index 7");
    });
    FAIL() << "no error on rank " << rank;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kMachine);
    EXPECT_EQ(error.message(), "index 7");
    const std::string last = std::to_string(size - 1) + " of " + std::to_string(size);
    EXPECT_EQ(error.where(), size == 1 ? "" : "rank " + last);
  }
}

TEST_F(ControlTest, OnRootRunsOnTheRootAlone) {
  int calls = 0;
  control.on_root([&] { ++calls; });
  EXPECT_EQ(calls, rank == 0 ? 1 : 0);
  EXPECT_THROW(control.on_root([] { throw_user_error("file", "is missing"); }), Error);
  control.barrier();
}

// What a rank does after an error must not meet messages of the failed step.
TEST_F(ControlTest, WorksOnAfterAnError) {
  EXPECT_THROW(control.agree([] { throw_machine_error("disk", "is full"); }), Error);
  EXPECT_EQ(control.sum(int64_t{1}), size);
}

}  // namespace
}  // namespace kdbench::control_test
