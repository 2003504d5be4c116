// SPDX-License-Identifier: MIT
#include "suite/ranks/mpi_collectives.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "io/base/doing.h"
#include "io/base/mpi_check.h"
#include "suite/ranks/collective_ops.h"
#include "suite/ranks/control.h"

namespace kdbench {
namespace {

// Bytes of one MPI call. Between 1 and 4 MB an allreduce is fastest (it works in the cache); also
// far below the 2^31 elements that an MPI count can express.
constexpr int64_t kPieceBytes = int64_t{2} << 20;

// As elements that move; MPI cannot add the 16-bit floats.
MPI_Datatype mpi_type(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return MPI_FLOAT;
    case at::kDouble:
      return MPI_DOUBLE;
    case at::kInt:
      return MPI_INT32_T;
    case at::kLong:
      return MPI_INT64_T;
    case at::kByte:
      return MPI_UINT8_T;
    case at::kBFloat16:
    case at::kHalf:
      return MPI_UINT16_T;
    default:
      throw std::logic_error(std::string("MPI collectives: no MPI type for ") + at::toString(type));
  }
}

void check_tensor(const at::Tensor& tensor) {
  if (!tensor.defined()) throw std::logic_error("MPI collectives: undefined tensor");
  if (!tensor.device().is_cpu()) {
    throw std::logic_error("MPI collectives: tensor on " + tensor.device().str() +
                           ", not on the CPU");
  }
  if (!tensor.is_contiguous()) throw std::logic_error("MPI collectives: tensor is not contiguous");
  mpi_type(tensor.scalar_type());
}

// Calls f(pointer, count) for consecutive pieces of the tensor's memory.
template <typename F>
void for_pieces(const at::Tensor& tensor, F&& f) {
  const int64_t element = static_cast<int64_t>(tensor.element_size());
  const int64_t piece = kPieceBytes / element;
  char* const data = static_cast<char*>(tensor.data_ptr());
  for (int64_t begin = 0; begin < tensor.numel(); begin += piece) {
    f(data + begin * element, static_cast<int>(std::min(piece, tensor.numel() - begin)));
  }
}

// Where in `tensor` its view `part` begins, in elements.
int offset_in(const at::Tensor& tensor, const at::Tensor& part) {
  if (part.numel() == 0) return 0;
  const int64_t offset = part.storage_offset() - tensor.storage_offset();
  if (offset > std::numeric_limits<int>::max())
    throw std::logic_error("MPI collectives: reduce-scatter of over 2^31 elements");
  return static_cast<int>(offset);
}

// True if the tensors stand one after another in memory, so that they can be received as one.
bool adjacent(const std::vector<at::Tensor>& tensors) {
  const char* next = nullptr;
  for (const auto& tensor : tensors) {
    if (tensor.numel() == 0) continue;
    const char* const data = static_cast<const char*>(tensor.data_ptr());
    if (next && data != next) return false;
    next = data + tensor.nbytes();
  }
  return true;
}

}  // namespace

MpiCollectives::MpiCollectives(MPI_Comm comm) : comm_(comm) {
  return_errors(comm_);
  check_mpi(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
}

MpiCollectives::~MpiCollectives() { free_communicator(comm_); }

std::unique_ptr<PendingCollective> MpiCollectives::start(CollectiveOp op) {
  check_tensor(op.tensor);
  switch (op.kind) {
    case CollectiveOp::Kind::kAllreduceSum:
      allreduce(op.tensor);
      break;
    case CollectiveOp::Kind::kBroadcast:
      broadcast_pieces(op.tensor, op.root);
      break;
    case CollectiveOp::Kind::kAllgather:
      for (const auto& tensor : op.parts) check_tensor(tensor);
      check_gathered_rows("MPI collectives", op.tensor, op.parts, rank_, size_);
      allgather(op.tensor, op.parts);
      break;
    case CollectiveOp::Kind::kReduceScatterSum:
      check_scattered_parts("MPI collectives", op.tensor, op.parts, size_);
      reduce_scatter(op.tensor, op.parts);
      break;
  }
  return std::make_unique<FinishedCollective>();
}

std::unique_ptr<Collectives> MpiCollectives::subgroup(int colour) {
  MPI_Comm part = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split(comm_, colour, rank_, &part), "MPI_Comm_split");
  return std::make_unique<MpiCollectives>(part);
}

void MpiCollectives::allreduce(const at::Tensor& tensor) const {
  if (at::isReducedFloatingType(tensor.scalar_type()))
    throw std::logic_error("MPI collectives: no allreduce of 16-bit floats");
  const MPI_Datatype type = mpi_type(tensor.scalar_type());
  for_pieces(tensor, [&](void* data, int count) {
    const Awaiting awaiting("MPI_Allreduce");
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, data, count, type, MPI_SUM, comm_), "MPI_Allreduce");
  });
}

void MpiCollectives::broadcast_pieces(const at::Tensor& tensor, int root) const {
  const MPI_Datatype type = mpi_type(tensor.scalar_type());
  for_pieces(tensor, [&](void* data, int count) {
    const Awaiting awaiting("MPI_Bcast");
    check_mpi(MPI_Bcast(data, count, type, root, comm_), "MPI_Bcast");
  });
}

// In pieces, as everything here.
void MpiCollectives::allgather(const at::Tensor& rows, const std::vector<at::Tensor>& parts) const {
  std::vector<int64_t> lengths, starts;  // in elements
  int64_t total = 0, longest = 0;
  for (const auto& part : parts) {
    starts.push_back(total);
    lengths.push_back(part.numel());
    total += part.numel();
    longest = std::max(longest, part.numel());
  }
  if (total > std::numeric_limits<int>::max())
    throw std::logic_error("MPI collectives: allgather of over 2^31 elements");
  if (total == 0) return;

  const auto me = static_cast<size_t>(rank_);
  const bool in_place = adjacent(parts) && rows.data_ptr() == parts[me].data_ptr();
  at::Tensor staging;
  if (!in_place) {
    staging = at::empty({total}, rows.options().requires_grad(false));
    staging.narrow(0, starts[me], lengths[me]).copy_(rows.view({-1}));
  }
  const auto first =
      std::find_if(parts.begin(), parts.end(), [](const auto& t) { return t.numel() > 0; });
  void* const target = in_place ? first->data_ptr() : staging.data_ptr();
  const MPI_Datatype type = mpi_type(rows.scalar_type());
  const int64_t piece =
      std::max<int64_t>(1, kPieceBytes / static_cast<int64_t>(rows.element_size()) / size_);
  for (int64_t begin = 0; begin < longest; begin += piece) {
    std::vector<int> counts, places;
    for (size_t rank = 0; rank < parts.size(); ++rank) {
      counts.push_back(static_cast<int>(std::clamp<int64_t>(lengths[rank] - begin, 0, piece)));
      places.push_back(static_cast<int>(starts[rank] + std::min(begin, lengths[rank])));
    }
    const Awaiting awaiting("MPI_Allgatherv");
    check_mpi(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, target, counts.data(),
                             places.data(), type, comm_),
              "MPI_Allgatherv");
  }
  if (in_place) return;
  for (size_t rank = 0; rank < parts.size(); ++rank)
    parts[rank].view({-1}).copy_(staging.narrow(0, starts[rank], lengths[rank]));
}

// Every rank receives all addends of its own part, in pieces that stay in the cache, and adds them
// up in order of rank, so that a sum is the same whichever rank makes it: many times faster than
// MPI_Reduce_scatter of Open MPI 4.1, and for any type.
void MpiCollectives::reduce_scatter(const at::Tensor& tensor,
                                    const std::vector<at::Tensor>& parts) const {
  const auto ranks = static_cast<size_t>(size_), me = static_cast<size_t>(rank_);
  const MPI_Datatype type = mpi_type(tensor.scalar_type());
  const auto element = static_cast<int64_t>(tensor.element_size());
  const int64_t piece = std::max<int64_t>(1, kPieceBytes / element / size_);
  int64_t longest = 0;
  for (const auto& part : parts) longest = std::max(longest, part.numel());
  const at::Tensor own = parts[me].view({-1});
  const at::Tensor received =
      at::empty({size_ - 1, std::min(piece, own.numel())}, tensor.options().requires_grad(false));
  const auto place = [&](size_t r) { return static_cast<int64_t>(r < me ? r : r - 1); };
  for (int64_t begin = 0; begin < longest; begin += piece) {
    const auto length = [&](size_t r) {
      return std::clamp<int64_t>(parts[r].numel() - begin, 0, piece);
    };
    std::vector<int> send(ranks), from(ranks), take(ranks), to(ranks);
    const int64_t mine = length(me);
    for (size_t r = 0; r < ranks; ++r) {
      if (r == me) continue;  // is there already
      send[r] = static_cast<int>(length(r));
      from[r] = offset_in(tensor, parts[r]);
      take[r] = static_cast<int>(mine);
      to[r] = static_cast<int>(place(r) * received.size(1));
    }
    {
      const Awaiting awaiting("MPI_Alltoallv");
      check_mpi(MPI_Alltoallv(static_cast<const char*>(tensor.data_ptr()) + begin * element,
                              send.data(), from.data(), type, received.data_ptr(), take.data(),
                              to.data(), type, comm_),
                "MPI_Alltoallv");
    }
    if (mine == 0) continue;
    const auto addend = [&](size_t r) { return received[place(r)].narrow(0, 0, mine); };
    at::Tensor sum = own.narrow(0, begin, mine);
    for (size_t r = 1; r < me; ++r) addend(0).add_(addend(r));
    if (me > 0) sum.add_(addend(0));
    for (size_t r = me + 1; r < ranks; ++r) sum.add_(addend(r));
  }
}

std::unique_ptr<Collectives> make_mpi_collectives(const Control& control) {
  MPI_Comm comm = MPI_COMM_NULL;
  check_mpi(MPI_Comm_dup(control.comm(), &comm), "MPI_Comm_dup");
  return std::make_unique<MpiCollectives>(comm);
}

}  // namespace kdbench
