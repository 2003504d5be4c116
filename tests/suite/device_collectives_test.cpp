// SPDX-License-Identifier: MIT
// Collectives on the tensors of a device other than the CPU (NCCL's, where the tests run on GPUs),
// and on those of the host beside it, against sums written out by hand.
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/support/other_device.h"

namespace kdbench::device_collectives_test {
namespace {

class DeviceCollectives : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string why = testing::no_other_device();
    if (!why.empty()) GTEST_SKIP() << why;
    place = testing::other_device(control);
  }
  // Both kinds of memory.
  std::vector<at::Device> devices() const { return {place.device, at::kCPU}; }

  const Control control{MPI_COMM_WORLD};
  const int rank = control.rank(), size = control.size();
  testing::CasePlace place;
};

TEST_F(DeviceCollectives, AllreduceSumsEveryType) {
  for (const at::Device device : devices()) {
    std::vector<at::ScalarType> types{at::kFloat, at::kDouble, at::kInt, at::kLong, at::kByte};
    if (device.is_cuda()) types.insert(types.end(), {at::kHalf, at::kBFloat16});
    for (const at::ScalarType type : types) {
      const at::Tensor tensor = (at::arange(5, at::TensorOptions(type)) + rank).to(device);
      place.collectives->allreduce_sum(tensor);
      const at::Tensor expected =
          at::arange(5, at::TensorOptions(type)) * size + size * (size - 1) / 2;
      EXPECT_TRUE(at::equal(tensor.cpu(), expected)) << type << " on " << device;
    }
  }
}

TEST_F(DeviceCollectives, ManyAreUnderWayAtATime) {
  const at::Tensor buffer = at::full({1 << 20}, rank + 1, at::kFloat).to(place.device);
  const auto pieces = buffer.split(1000);
  std::vector<std::unique_ptr<PendingCollective>> pending;
  for (const auto& piece : pieces) {
    CollectiveOp op;
    op.tensor = piece;
    pending.push_back(place.collectives->start(op));
  }
  for (const auto& operation : pending) operation->wait();
  EXPECT_TRUE(buffer.eq(size * (size + 1) / 2).all().item<bool>());
}

TEST_F(DeviceCollectives, BroadcastSendsFromAnyRoot) {
  for (const at::Device device : devices()) {
    for (int root = 0; root < size; ++root) {
      const at::Tensor tensor = at::full({3, 4000}, rank, at::kInt).to(device);
      place.collectives->broadcast(tensor, root);
      EXPECT_TRUE(tensor.eq(root).all().item<bool>()) << device;
    }
  }
}

// Rank r has r rows: the first none.
TEST_F(DeviceCollectives, GatherTakesAnyNumberOfRows) {
  for (const at::Device device : devices()) {
    const at::Tensor rows = at::full({rank, 2}, rank, at::kFloat).to(device);
    int64_t first = -1;
    const at::Tensor all = place.collectives->gather_rows(rows, &first);
    EXPECT_EQ(first, rank * (rank - 1) / 2);
    EXPECT_EQ(all.device().type(), device.type());
    ASSERT_EQ(all.sizes().vec(), (std::vector<int64_t>{size * (size - 1) / 2, 2}));
    const at::Tensor on_host = all.cpu();
    for (int64_t other = 0, row = 0; other < size; ++other) {
      for (int64_t i = 0; i < other; ++i, ++row)
        EXPECT_TRUE(on_host[row].eq(other).all().item<bool>());
    }
  }
}

TEST_F(DeviceCollectives, SubgroupsSumAmongThemselves) {
  const auto part = place.collectives->subgroup(rank % 2);
  for (const at::Device device : devices()) {
    const at::Tensor tensor = at::ones({7}).to(device);
    part->allreduce_sum(tensor);
    EXPECT_EQ(tensor.sum().item<float>(), 7.0F * static_cast<float>(part->size())) << device;
  }
}

TEST_F(DeviceCollectives, RefuseWhatTheyCannotSend) {
  const at::Tensor gaps = at::ones({4, 4}).to(place.device).t().narrow(0, 0, 2);
  EXPECT_THROW(place.collectives->allreduce_sum(gaps), std::logic_error);
}

}  // namespace
}  // namespace kdbench::device_collectives_test
