// SPDX-License-Identifier: MIT
// The MPI collectives (with one rank too) and the single-process ones, against sums written out by
// hand.
#include "suite/ranks/collectives.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "suite/ranks/control.h"

namespace kdbench::collectives_test {
namespace {

class CollectivesTest : public ::testing::Test {
 protected:
  Control control{MPI_COMM_WORLD};
  std::unique_ptr<Collectives> mpi = make_mpi_collectives(control);
  int rank = control.rank();
  int size = control.size();
};

CollectiveOp allgather_op(at::Tensor rows, std::vector<at::Tensor> parts) {
  CollectiveOp op;
  op.kind = CollectiveOp::Kind::kAllgather;
  op.tensor = std::move(rows);
  op.parts = std::move(parts);
  return op;
}

TEST_F(CollectivesTest, TheFactoryTakesTheRightOne) {
  const auto chosen = make_collectives(control, at::kCPU);
  EXPECT_EQ(chosen->name(), size == 1 ? "single" : "mpi");
  EXPECT_EQ(chosen->size(), size);
  EXPECT_EQ(chosen->rank(), rank);
  if (size > 1) {
    EXPECT_THROW(make_collectives(control, at::kMeta), std::logic_error);
  }
}

TEST_F(CollectivesTest, AllreduceSumsEveryType) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kInt, at::kLong, at::kByte}) {
    const at::Tensor tensor = at::arange(5, at::TensorOptions(type)) + rank;
    mpi->allreduce_sum(tensor);
    const at::Tensor expected =
        at::arange(5, at::TensorOptions(type)) * size + size * (size - 1) / 2;
    EXPECT_TRUE(at::equal(tensor, expected)) << type;
  }
}

// Over several pieces of 2 MB, the last one partial.
TEST_F(CollectivesTest, AllreduceSumsLargeBuffersInPlace) {
  for (const int64_t count : {int64_t{524288}, int64_t{1234567}}) {
    const at::Tensor tensor = at::arange(count, at::kFloat).remainder(1000) + rank;
    void* const memory = tensor.data_ptr();
    mpi->allreduce_sum(tensor);
    EXPECT_EQ(tensor.data_ptr(), memory);
    const at::Tensor expected = at::arange(count, at::kFloat).remainder(1000) * size +
                                static_cast<double>(size * (size - 1) / 2);
    EXPECT_TRUE(at::equal(tensor, expected));
  }
}

TEST_F(CollectivesTest, AllreduceTouchesNothingBesideItsView) {
  const at::Tensor buffer = at::ones({10});
  mpi->allreduce_sum(buffer.narrow(0, 2, 3));
  EXPECT_EQ(buffer.sum().item<float>(), 7.0F + 3.0F * size);
  EXPECT_EQ(buffer[2].item<float>(), size);
  mpi->allreduce_sum(at::empty({0}));
}

TEST_F(CollectivesTest, BroadcastSendsFromAnyRoot) {
  for (int root = 0; root < size; ++root) {
    const at::Tensor tensor = at::full({3, 400000}, rank, at::kInt);
    mpi->broadcast(tensor, root);
    EXPECT_TRUE(tensor.eq(root).all().item<bool>());
  }
}

// Rank r brings 2 r rows, so rank 0 none.
TEST_F(CollectivesTest, GatherRowsJoinsUnevenShares) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kInt, at::kLong, at::kByte}) {
    const at::Tensor rows = at::full({2 * rank, 3, 2}, rank, type);
    int64_t first = -1;
    const at::Tensor all = mpi->gather_rows(rows, &first);
    ASSERT_EQ(all.sizes(), (at::IntArrayRef{size * (size - 1), 3, 2}));
    EXPECT_EQ(first, rank * (rank - 1));
    EXPECT_EQ(all.scalar_type(), type);
    for (int64_t row = 0, r = 0; r < size; row += 2 * r, ++r) {
      EXPECT_TRUE(all.narrow(0, row, 2 * r).eq(r).all().item<bool>());
    }
  }
}

TEST_F(CollectivesTest, GatherRowsTakesViewsAndGraphs) {
  const at::Tensor rows =
      at::arange(6, at::kFloat).view({2, 3}).t().add(rank).requires_grad_(true);  // (3, 2)
  const at::Tensor all = mpi->gather_rows(rows);
  EXPECT_FALSE(all.requires_grad());
  for (int r = 0; r < size; ++r) {
    EXPECT_TRUE(
        at::equal(all.narrow(0, 3 * r, 3), at::arange(6, at::kFloat).view({2, 3}).t().add(r)));
  }
  EXPECT_EQ(mpi->gather_rows(at::empty({0, 4})).sizes(), (at::IntArrayRef{0, 4}));
  EXPECT_EQ(mpi->gather_rows(at::empty({2, 0})).sizes(), (at::IntArrayRef{2 * size, 0}));
}

// Targets that do not follow one another in memory.
TEST_F(CollectivesTest, AllgatherFillsSeparateTensors) {
  std::vector<at::Tensor> parts;
  for (int r = 0; r < size; ++r) parts.push_back(at::zeros({r % 2, 4}));
  mpi->start(allgather_op(at::full({rank % 2, 4}, rank, at::kFloat), parts))->wait();
  for (int r = 0; r < size; ++r) EXPECT_TRUE(parts[r].eq(r).all().item<bool>());
}

// Each rank's own rows stand where they are gathered.
TEST_F(CollectivesTest, AllgatherInPlace) {
  const at::Tensor all = at::full({3 * size}, -1.0F);
  all.narrow(0, 3 * rank, 3).fill_(static_cast<float>(rank));
  mpi->allgather(all.split(3));
  for (int r = 0; r < size; ++r) EXPECT_TRUE(all.narrow(0, 3 * r, 3).eq(r).all().item<bool>());
}

// Parts of one length, of lengths that differ, without anything for the last ranks, and of several
// pieces.
TEST_F(CollectivesTest, ReduceScatterLeavesTheSumInTheOwnPart) {
  for (const auto type : {at::kFloat, at::kDouble, at::kLong, at::kBFloat16, at::kHalf}) {
    for (const int64_t floats : {int64_t{8} * size, int64_t{8} * size + 3, int64_t{1},
                                 int64_t{1} << 21, (int64_t{1} << 21) + 5}) {
      const at::Tensor buffer = at::zeros({floats + 2}, type), tensor = buffer.narrow(0, 1, floats);
      const at::Tensor values = at::arange(floats, at::kLong).remainder(31).to(type);
      tensor.copy_(values + rank);
      const auto parts = tensor.tensor_split(size);
      mpi->reduce_scatter_sum(tensor, parts);
      const at::Tensor sum = values * size + size * (size - 1) / 2;
      EXPECT_TRUE(at::equal(parts[rank], sum.tensor_split(size)[rank])) << type << " " << floats;
      EXPECT_EQ(buffer[0].item<float>() + buffer[floats + 1].item<float>(), 0.0F);
      mpi->allgather(parts);
      EXPECT_TRUE(at::equal(tensor, sum)) << type << " " << floats;
    }
  }
}

TEST_F(CollectivesTest, SubgroupsAreSeparate) {
  const auto group = mpi->subgroup(rank % 2);
  const int members = rank % 2 == 0 ? (size + 1) / 2 : size / 2;
  EXPECT_EQ(group->size(), members);
  EXPECT_EQ(group->rank(), rank / 2);
  const at::Tensor tensor = at::full({4}, rank % 2 + 1, at::kLong);
  group->allreduce_sum(tensor);
  EXPECT_EQ(tensor[0].item<int64_t>(), members * (rank % 2 + 1));
}

TEST_F(CollectivesTest, UnusableTensorsAreRefused) {
  EXPECT_THROW(mpi->allreduce_sum(at::zeros({4, 4}).t()[0]), std::logic_error);
  EXPECT_THROW(mpi->allreduce_sum(at::zeros({2, 3}).t()), std::logic_error);
  EXPECT_THROW(mpi->allreduce_sum(at::zeros({2}, at::kHalf)), std::logic_error);
  EXPECT_THROW(mpi->allreduce_sum(at::Tensor()), std::logic_error);
  EXPECT_THROW(mpi->allreduce_sum(at::zeros({2}, at::TensorOptions(at::kMeta))), std::logic_error);
  EXPECT_THROW(mpi->gather_rows(at::zeros({})), std::logic_error);
  EXPECT_THROW(mpi->start(allgather_op(at::zeros({1}), {})), std::logic_error);
  const std::vector<at::Tensor> wrong(size, at::zeros({1, 3}));
  EXPECT_THROW(mpi->start(allgather_op(at::zeros({1, 2}), wrong)), std::logic_error);
  const at::Tensor tensor = at::zeros({2 * size + 1});
  EXPECT_THROW(mpi->reduce_scatter_sum(tensor, wrong), std::logic_error);
  EXPECT_THROW(mpi->reduce_scatter_sum(tensor, tensor.narrow(0, 0, size).split(1)),
               std::logic_error);
}

TEST(SingleCollectives, NothingMoves) {
  const auto single = make_single_collectives();
  const at::Tensor tensor = at::arange(4, at::kFloat);
  single->allreduce_sum(tensor);
  single->broadcast(tensor, 0);
  EXPECT_TRUE(at::equal(tensor, at::arange(4, at::kFloat)));
  const at::Tensor all = single->gather_rows(tensor);
  EXPECT_TRUE(at::equal(all, tensor));
  EXPECT_EQ(single->subgroup(3)->size(), 1);
}

}  // namespace
}  // namespace kdbench::collectives_test
