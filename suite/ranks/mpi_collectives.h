// SPDX-License-Identifier: MIT
// Collectives on host memory by MPI. Everything happens inside start(), in pieces: Open MPI's
// non-blocking calls make no progress while the program computes, so an Iallreduce would run whole
// inside wait(), and one call on a large buffer is several times slower than calls on pieces that
// stay in the cache.
#pragma once

#include <mpi.h>

#include "suite/ranks/collectives.h"

namespace kdbench {

// An operation that start() already finished.
class FinishedCollective : public PendingCollective {
 public:
  void wait() override {}
};

class MpiCollectives : public Collectives {
 public:
  // Takes over `comm` and frees it; its errors are returned and become machine errors.
  explicit MpiCollectives(MPI_Comm comm);
  ~MpiCollectives() override;
  MpiCollectives(const MpiCollectives&) = delete;
  MpiCollectives& operator=(const MpiCollectives&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string name() const override { return "mpi"; }

  // Throws std::logic_error for tensors that are not contiguous, not on the CPU, or of a type MPI
  // does not know.
  std::unique_ptr<PendingCollective> start(CollectiveOp op) override;
  std::unique_ptr<Collectives> subgroup(int colour) override;

 private:
  void allreduce(const at::Tensor& tensor) const;
  void broadcast_pieces(const at::Tensor& tensor, int root) const;
  void allgather(const at::Tensor& rows, const std::vector<at::Tensor>& parts) const;
  void reduce_scatter(const at::Tensor& tensor, const std::vector<at::Tensor>& parts) const;

  MPI_Comm comm_;
  int rank_ = 0, size_ = 1;
};

}  // namespace kdbench
