// SPDX-License-Identifier: MIT
// Collectives on the memory of GPUs by NCCL, one rank a GPU. An operation runs on a stream of its
// own, after what the current stream held when it was started; wait() makes the current stream wait
// for it, not the host. A thread watches: an error of NCCL, or an operation that does not end
// within the time, ends the job; each rank that sees it says so. Only in builds with KDBENCH_CUDA.
#pragma once

#include <c10/cuda/CUDAStream.h>
#include <nccl.h>

#include <memory>

#include "suite/ranks/collectives.h"

namespace kdbench {

class NcclWatch;

class NcclCollectives : public Collectives {
 public:
  // Takes over `comm`, which works without blocking.
  NcclCollectives(ncclComm_t comm, at::Device device);
  ~NcclCollectives() override;
  NcclCollectives(const NcclCollectives&) = delete;
  NcclCollectives& operator=(const NcclCollectives&) = delete;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string name() const override { return "nccl"; }

  // Throws std::logic_error for tensors that are not contiguous, not on this rank's GPU, or of a
  // type NCCL does not know.
  std::unique_ptr<PendingCollective> start(CollectiveOp op) override;
  std::unique_ptr<Collectives> subgroup(int colour) override;

 private:
  void check_tensor(const at::Tensor& tensor) const;
  void enqueue(const CollectiveOp& op) const;
  void allgather(const at::Tensor& rows, const std::vector<at::Tensor>& parts) const;
  void reduce_scatter(const std::vector<at::Tensor>& parts) const;

  ncclComm_t comm_;
  at::Device device_;
  c10::cuda::CUDAStream stream_;
  int rank_ = 0, size_ = 1;
  std::unique_ptr<NcclWatch> watch_;
};

}  // namespace kdbench
