// SPDX-License-Identifier: MIT
// What `comm` measures: right results, the bandwidths' factors, times of the slowest rank.
#include "suite/machine/collective_speed.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace kdbench::collective_speed_test {
namespace {

using Kind = CollectiveOp::Kind;

// Gives what no collective may: one float of rank 1's is off.
class Broken : public Collectives {
 public:
  explicit Broken(Collectives& right) : right_(right) {}
  int rank() const override { return right_.rank(); }
  int size() const override { return right_.size(); }
  std::string name() const override { return "broken"; }
  std::unique_ptr<PendingCollective> start(CollectiveOp op) override {
    right_.start(op)->wait();
    at::Tensor result = op.parts.empty() ? op.tensor : op.parts.back();
    if (rank() == size() - 1) result[0] += 1.0F;
    CollectiveOp nothing;
    nothing.tensor = at::zeros({1});
    return right_.start(std::move(nothing));
  }
  std::unique_ptr<Collectives> subgroup(int colour) override { return right_.subgroup(colour); }

 private:
  Collectives& right_;
};

TEST(CollectiveSpeed, ResultsAreCheckedOnEveryRank) {
  const Control control(MPI_COMM_WORLD);
  const auto collectives = make_mpi_collectives(control);
  Broken broken(*collectives);
  for (const Kind kind : {Kind::kAllreduceSum, Kind::kBroadcast, Kind::kAllgather}) {
    for (const int64_t floats : {1, 1000}) {
      const auto right = measure_collective(control, *collectives, kind, floats, at::kCPU, {1, 3});
      EXPECT_EQ(right.wrong, 0) << right.operation;
      EXPECT_EQ(right.bytes, 4 * floats * (kind == Kind::kAllgather ? control.size() : 1));
      EXPECT_GT(right.times.median, 0.0);
      EXPECT_LE(right.times.least, right.times.median);
      EXPECT_LE(right.times.median, right.times.p95);
      const auto wrong = measure_collective(control, broken, kind, floats, at::kCPU, {1, 3});
      EXPECT_EQ(wrong.wrong, 1) << right.operation;
    }
  }
}

TEST(CollectiveSpeed, FactorsOfTheBus) {
  EXPECT_DOUBLE_EQ(bus_factor("allreduce", 4), 1.5);
  EXPECT_DOUBLE_EQ(bus_factor("allgather", 4), 0.75);
  EXPECT_DOUBLE_EQ(bus_factor("broadcast", 4), 1.0);
  EXPECT_DOUBLE_EQ(bus_factor("allreduce", 1), 0.0);
  CollectiveSpeed speed;
  speed.bytes = 3'000'000;
  speed.times.median = 1e-3;
  EXPECT_DOUBLE_EQ(speed.algbw(), 3e9);
}

// Of each call the slowest rank counts, also where another one is slow each time.
TEST(CollectiveSpeed, TimesAreTheSlowestRanks) {
  const Control control(MPI_COMM_WORLD);
  int call = 0;
  const auto times = time_calls(control, at::kCPU, {0, 6}, [&] {
    if (call++ % control.size() == control.rank())
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
  });
  EXPECT_GE(times.least, 0.02);
}

}  // namespace
}  // namespace kdbench::collective_speed_test
