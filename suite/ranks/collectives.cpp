// SPDX-License-Identifier: MIT
#include "suite/ranks/collectives.h"

#include <array>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "suite/ranks/collective_ops.h"
#include "suite/ranks/control.h"
#include "suite/ranks/mpi_collectives.h"

namespace kdbench {
namespace {

class SingleCollectives : public Collectives {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::string name() const override { return "single"; }

  std::unique_ptr<PendingCollective> start(CollectiveOp op) override {
    if (op.kind == CollectiveOp::Kind::kAllgather) {
      if (op.parts.size() != 1)
        throw std::logic_error("Collectives: allgather needs one tensor per rank");
      op.parts.front().copy_(op.tensor);
    }
    return std::make_unique<FinishedCollective>();
  }

  std::unique_ptr<Collectives> subgroup(int) override { return make_single_collectives(); }
};

class PairedCollectives : public Collectives {
 public:
  PairedCollectives(std::unique_ptr<Collectives> device, std::unique_ptr<Collectives> host)
      : device_(std::move(device)), host_(std::move(host)) {}
  int rank() const override { return device_->rank(); }
  int size() const override { return device_->size(); }
  std::string name() const override { return device_->name(); }

  std::unique_ptr<PendingCollective> start(CollectiveOp op) override {
    Collectives& those = op.tensor.is_cpu() ? *host_ : *device_;
    return those.start(std::move(op));
  }
  std::unique_ptr<Collectives> subgroup(int colour) override {
    auto device = device_->subgroup(colour);
    return make_paired_collectives(std::move(device), host_->subgroup(colour));
  }

 private:
  std::unique_ptr<Collectives> device_, host_;
};

}  // namespace

const std::string& operation_name(CollectiveOp::Kind kind) {
  static const std::array<std::string, 4> names{"allreduce", "broadcast", "allgather",
                                                "reduce-scatter"};
  return names.at(static_cast<size_t>(kind));
}

void check_gathered_rows(const std::string& library, const at::Tensor& rows,
                         const std::vector<at::Tensor>& parts, int rank, int size) {
  if (static_cast<int>(parts.size()) != size || rows.dim() == 0)
    throw std::logic_error(library + ": allgather needs rows and one tensor per rank");
  for (const auto& tensor : parts) {
    const bool fits = tensor.scalar_type() == rows.scalar_type() && tensor.dim() == rows.dim() &&
                      tensor.sizes().slice(1) == rows.sizes().slice(1);
    if (!fits) throw std::logic_error(library + ": allgather tensors differ in type or row shape");
  }
  if (parts[static_cast<size_t>(rank)].size(0) != rows.size(0))
    throw std::logic_error(library + ": allgather expects another number of rows from this rank");
}

void check_scattered_parts(const std::string& library, const at::Tensor& tensor,
                           const std::vector<at::Tensor>& parts, int size) {
  if (static_cast<int>(parts.size()) != size)
    throw std::logic_error(library + ": reduce-scatter needs one part per rank");
  const char* next = static_cast<const char*>(tensor.data_ptr());
  int64_t elements = 0;
  for (const auto& part : parts) {
    if (part.scalar_type() != tensor.scalar_type() || !part.is_contiguous() ||
        (part.numel() > 0 && part.data_ptr() != next))
      throw std::logic_error(library + ": the parts of a reduce-scatter are not its tensor's");
    next += part.nbytes();
    elements += part.numel();
  }
  if (elements != tensor.numel())
    throw std::logic_error(library + ": the parts of a reduce-scatter are not all of its tensor");
}

void Collectives::allreduce_sum(const at::Tensor& tensor) {
  CollectiveOp op;
  op.tensor = tensor;
  start(std::move(op))->wait();
}

void Collectives::broadcast(const at::Tensor& tensor, int root) {
  CollectiveOp op;
  op.kind = CollectiveOp::Kind::kBroadcast;
  op.tensor = tensor;
  op.root = root;
  start(std::move(op))->wait();
}

void Collectives::reduce_scatter_sum(const at::Tensor& tensor,
                                     const std::vector<at::Tensor>& parts) {
  CollectiveOp op;
  op.kind = CollectiveOp::Kind::kReduceScatterSum;
  op.tensor = tensor;
  op.parts = parts;
  start(std::move(op))->wait();
}

void Collectives::allgather(const std::vector<at::Tensor>& parts) {
  CollectiveOp op;
  op.kind = CollectiveOp::Kind::kAllgather;
  op.tensor = parts.at(static_cast<size_t>(rank()));
  op.parts = parts;
  start(std::move(op))->wait();
}

at::Tensor Collectives::gather_rows(const at::Tensor& rows, int64_t* first) {
  if (!rows.defined() || rows.dim() == 0)
    throw std::logic_error("Collectives: gather_rows needs rows, not a scalar");
  if (first) *first = 0;
  if (size() == 1) return rows.detach();
  const at::Tensor counts = at::empty({size()}, rows.options().dtype(at::kLong));
  CollectiveOp count_op;
  count_op.kind = CollectiveOp::Kind::kAllgather;
  count_op.tensor = at::full({1}, rows.size(0), counts.options());
  count_op.parts = counts.split(1);
  start(std::move(count_op))->wait();

  const at::Tensor on_host = counts.cpu();
  const std::vector<int64_t> sizes(on_host.data_ptr<int64_t>(),
                                   on_host.data_ptr<int64_t>() + size());
  if (first) *first = std::accumulate(sizes.begin(), sizes.begin() + rank(), int64_t{0});
  std::vector<int64_t> shape = rows.sizes().vec();
  shape[0] = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  const at::Tensor all = at::empty(shape, rows.options().requires_grad(false));
  CollectiveOp op;
  op.kind = CollectiveOp::Kind::kAllgather;
  op.tensor = rows.detach().contiguous();
  op.parts = all.split_with_sizes(sizes);
  start(std::move(op))->wait();
  return all;
}

std::unique_ptr<Collectives> make_single_collectives() {
  return std::make_unique<SingleCollectives>();
}

std::unique_ptr<Collectives> make_paired_collectives(std::unique_ptr<Collectives> device,
                                                     std::unique_ptr<Collectives> host) {
  return std::make_unique<PairedCollectives>(std::move(device), std::move(host));
}

std::unique_ptr<Collectives> make_collectives(const Control& control, at::Device device) {
  if (control.size() == 1) return make_single_collectives();
  if (device.is_cpu()) return make_mpi_collectives(control);
#ifdef KDBENCH_CUDA
  if (device.is_cuda())
    return make_paired_collectives(make_nccl_collectives(control, device),
                                   make_mpi_collectives(control));
#endif
  throw std::logic_error("Collectives: none for tensors on " + device.str());
}

}  // namespace kdbench
