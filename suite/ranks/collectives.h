// SPDX-License-Identifier: MIT
// Collective operations on tensors. Every rank starts the same operations in the same order.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace kdbench {

// One operation under way. `tensor` must live and stay untouched until wait() returns.
class PendingCollective {
 public:
  virtual ~PendingCollective() = default;
  virtual void wait() = 0;
};

struct CollectiveOp {
  enum class Kind { kAllreduceSum, kBroadcast, kAllgather, kReduceScatterSum };
  Kind kind = Kind::kAllreduceSum;
  // Contiguous. In place for allreduce and broadcast; this rank's rows for allgather. Of a
  // reduce-scatter this rank's addends of all parts, which are views of it: afterwards its own part
  // holds the sum, the others are undefined.
  at::Tensor tensor;
  int root = 0;  // broadcast
  // Allgather, reduce-scatter: one contiguous tensor per rank, first dimensions may differ (also
  // 0).
  std::vector<at::Tensor> parts;
};

class Collectives {
 public:
  virtual ~Collectives() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  // "single", "mpi", "nccl".
  virtual std::string name() const = 0;

  virtual std::unique_ptr<PendingCollective> start(CollectiveOp op) = 0;
  // Collectives among the ranks that pass the same colour (collective over all ranks of this
  // object).
  virtual std::unique_ptr<Collectives> subgroup(int colour) = 0;

  // Blocking forms.
  void allreduce_sum(const at::Tensor& tensor);
  void broadcast(const at::Tensor& tensor, int root);
  void reduce_scatter_sum(const at::Tensor& tensor, const std::vector<at::Tensor>& parts);
  void allgather(const std::vector<at::Tensor>& parts);  // this rank's own is what it sends
  // rows (b, ...) of each rank -> (sum of b, ...) in order of rank, detached; of one rank the same
  // memory. b may differ and be 0; the rest of the shape is the same on every rank. `first`
  // receives the index of this rank's rows.
  at::Tensor gather_rows(const at::Tensor& rows, int64_t* first = nullptr);
};

// A world of one rank: nothing moves.
std::unique_ptr<Collectives> make_single_collectives();
// MPI on host memory; float32, float64, int32, int64 and uint8 tensors, and but for an allreduce
// bfloat16 and float16.
class Control;
std::unique_ptr<Collectives> make_mpi_collectives(const Control& control);
// NCCL on the memory of `device`, this rank's GPU; types as MPI's, and float16 and bfloat16. Only
// in builds with KDBENCH_CUDA. Collective.
std::unique_ptr<Collectives> make_nccl_collectives(const Control& control, at::Device device);
// Of tensors on a device those of `device`, of tensors in the host's memory those of `host`.
std::unique_ptr<Collectives> make_paired_collectives(std::unique_ptr<Collectives> device,
                                                     std::unique_ptr<Collectives> host);
// The right one for the device and the number of ranks. Collective.
std::unique_ptr<Collectives> make_collectives(const Control& control, at::Device device);

}  // namespace kdbench
