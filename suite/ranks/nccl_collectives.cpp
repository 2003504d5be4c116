// SPDX-License-Identifier: MIT
#include "suite/ranks/nccl_collectives.h"

#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <stdexcept>

#include "suite/ranks/collective_ops.h"
#include "suite/ranks/control.h"
#include "suite/ranks/nccl_check.h"
#include "suite/ranks/nccl_watch.h"

namespace kdbench {
namespace {

ncclDataType_t nccl_type(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return ncclFloat32;
    case at::kDouble:
      return ncclFloat64;
    case at::kHalf:
      return ncclFloat16;
    case at::kBFloat16:
      return ncclBfloat16;
    case at::kInt:
      return ncclInt32;
    case at::kLong:
      return ncclInt64;
    case at::kByte:
      return ncclUint8;
    default:
      throw std::logic_error(std::string("NCCL collectives: no NCCL type for ") +
                             at::toString(type));
  }
}

// The memory must not be given to others before the stream is done with it.
void keep_for(const at::Tensor& tensor, const c10::cuda::CUDAStream& stream) {
  if (tensor.numel() > 0)
    c10::cuda::CUDACachingAllocator::recordStream(tensor.storage().data_ptr(), stream);
}

class PendingNccl : public PendingCollective {
 public:
  PendingNccl(std::shared_ptr<at::cuda::CUDAEvent> done, at::Device device)
      : done_(std::move(done)), device_(device) {}
  void wait() override { done_->block(c10::cuda::getCurrentCUDAStream(device_.index())); }

 private:
  std::shared_ptr<at::cuda::CUDAEvent> done_;
  at::Device device_;
};

ncclConfig_t without_blocking() {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  return config;
}

}  // namespace

NcclCollectives::NcclCollectives(ncclComm_t comm, at::Device device)
    : comm_(comm),
      device_(device),
      stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/true, device.index())) {
  check_nccl(ncclCommUserRank(comm_, &rank_), comm_, "ncclCommUserRank");
  check_nccl(ncclCommCount(comm_, &size_), comm_, "ncclCommCount");
  watch_ = std::make_unique<NcclWatch>(comm_);
}

NcclCollectives::~NcclCollectives() {
  watch_.reset();
  if (std::uncaught_exceptions() > 0) {
    static_cast<void>(ncclCommAbort(comm_));  // other ranks may not end theirs
    return;
  }
  check_nccl(ncclCommFinalize(comm_), comm_, "ncclCommFinalize");
  check_nccl(ncclCommDestroy(comm_), "ncclCommDestroy");
}

void NcclCollectives::check_tensor(const at::Tensor& tensor) const {
  if (!tensor.defined()) throw std::logic_error("NCCL collectives: undefined tensor");
  if (tensor.device() != device_) {
    throw std::logic_error("NCCL collectives: tensor on " + tensor.device().str() + ", not on " +
                           device_.str());
  }
  if (!tensor.is_contiguous()) throw std::logic_error("NCCL collectives: tensor is not contiguous");
  nccl_type(tensor.scalar_type());
}

std::unique_ptr<PendingCollective> NcclCollectives::start(CollectiveOp op) {
  check_tensor(op.tensor);
  if (op.kind == CollectiveOp::Kind::kAllgather) {
    for (const auto& tensor : op.parts) check_tensor(tensor);
    check_gathered_rows("NCCL collectives", op.tensor, op.parts, rank_, size_);
  } else if (op.kind == CollectiveOp::Kind::kReduceScatterSum) {
    check_scattered_parts("NCCL collectives", op.tensor, op.parts, size_);
  }
  const c10::cuda::CUDAGuard guard(device_);
  at::cuda::CUDAEvent ready;
  ready.record(c10::cuda::getCurrentCUDAStream(device_.index()));
  ready.block(stream_);
  enqueue(op);
  const auto done = std::make_shared<at::cuda::CUDAEvent>();
  done->record(stream_);
  keep_for(op.tensor, stream_);
  for (const auto& tensor : op.parts) keep_for(tensor, stream_);
  watch_->add(done, operation_name(op.kind).c_str(), static_cast<int64_t>(op.tensor.nbytes()));
  return std::make_unique<PendingNccl>(done, device_);
}

void NcclCollectives::enqueue(const CollectiveOp& op) const {
  void* const data = op.tensor.data_ptr();
  const auto count = static_cast<size_t>(op.tensor.numel());
  const ncclDataType_t type = nccl_type(op.tensor.scalar_type());
  switch (op.kind) {
    case CollectiveOp::Kind::kAllreduceSum:
      check_nccl(ncclAllReduce(data, data, count, type, ncclSum, comm_, stream_), comm_,
                 "ncclAllReduce");
      break;
    case CollectiveOp::Kind::kBroadcast:
      check_nccl(ncclBroadcast(data, data, count, type, op.root, comm_, stream_), comm_,
                 "ncclBroadcast");
      break;
    case CollectiveOp::Kind::kAllgather:
      allgather(op.tensor, op.parts);
      break;
    case CollectiveOp::Kind::kReduceScatterSum:
      reduce_scatter(op.parts);
      break;
  }
}

// Each rank's rows from that rank, all at once: their numbers may differ.
void NcclCollectives::allgather(const at::Tensor& rows,
                                const std::vector<at::Tensor>& parts) const {
  const ncclDataType_t type = nccl_type(rows.scalar_type());
  check_nccl(ncclGroupStart(), "ncclGroupStart");
  for (int root = 0; root < size_; ++root) {
    const at::Tensor& target = parts[static_cast<size_t>(root)];
    if (target.numel() == 0) continue;
    const void* source = root == rank_ ? rows.data_ptr() : target.data_ptr();
    const ncclResult_t code = ncclBroadcast(
        source, target.data_ptr(), static_cast<size_t>(target.numel()), type, root, comm_, stream_);
    if (code != ncclInProgress) check_nccl(code, comm_, "ncclBroadcast");  // within the group
  }
  check_nccl(ncclGroupEnd(), comm_, "ncclGroupEnd");
}

// Equal parts by NCCL's own operation, else each to its rank, all at once.
void NcclCollectives::reduce_scatter(const std::vector<at::Tensor>& parts) const {
  const ncclDataType_t type = nccl_type(parts.front().scalar_type());
  const int64_t first = parts.front().numel();
  const bool equal = std::all_of(parts.begin(), parts.end(),
                                 [&](const at::Tensor& part) { return part.numel() == first; });
  if (equal && first == 0) return;
  if (equal) {
    check_nccl(ncclReduceScatter(parts.front().data_ptr(), parts[rank_].data_ptr(),
                                 static_cast<size_t>(first), type, ncclSum, comm_, stream_),
               comm_, "ncclReduceScatter");
    return;
  }
  check_nccl(ncclGroupStart(), "ncclGroupStart");
  for (int root = 0; root < size_; ++root) {
    const at::Tensor& part = parts[static_cast<size_t>(root)];
    if (part.numel() == 0) continue;
    const ncclResult_t code =
        ncclReduce(part.data_ptr(), part.data_ptr(), static_cast<size_t>(part.numel()), type,
                   ncclSum, root, comm_, stream_);
    if (code != ncclInProgress) check_nccl(code, comm_, "ncclReduce");  // within the group
  }
  check_nccl(ncclGroupEnd(), comm_, "ncclGroupEnd");
}

std::unique_ptr<Collectives> NcclCollectives::subgroup(int colour) {
  ncclComm_t part = nullptr;
  ncclConfig_t config = without_blocking();
  check_nccl(ncclCommSplit(comm_, colour, rank_, &part, &config), comm_, "ncclCommSplit");
  check_nccl(ncclInProgress, part, "ncclCommSplit");
  return std::make_unique<NcclCollectives>(part, device_);
}

std::unique_ptr<Collectives> make_nccl_collectives(const Control& control, at::Device device) {
  const c10::cuda::CUDAGuard guard(device);
  control.agree([] { nccl_patience(); });
  ncclUniqueId id{};
  if (control.root()) check_nccl(ncclGetUniqueId(&id), "ncclGetUniqueId");
  const std::string bytes = control.broadcast(std::string(id.internal, sizeof id.internal));
  std::memcpy(id.internal, bytes.data(), sizeof id.internal);
  ncclComm_t comm = nullptr;
  ncclConfig_t config = without_blocking();
  const ncclResult_t begun =
      ncclCommInitRankConfig(&comm, control.size(), id, control.rank(), &config);
  check_nccl(begun, comm, "ncclCommInitRank");
  return std::make_unique<NcclCollectives>(comm, device);
}

}  // namespace kdbench
