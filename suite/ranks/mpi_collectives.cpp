// SPDX-License-Identifier: MIT
#include "suite/ranks/mpi_collectives.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "io/base/mpi_check.h"
#include "suite/ranks/collective_ops.h"
#include "suite/ranks/control.h"

namespace kdbench {
namespace {

// Bytes of one MPI call. Between 1 and 4 MB an allreduce is fastest (it works in the cache); also
// far below the 2^31 elements that an MPI count can express.
constexpr int64_t kPieceBytes = int64_t{2} << 20;

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

// One row as one MPI element, so that counts stay small.
class RowType {
 public:
  RowType(int64_t elements, MPI_Datatype element) {
    if (elements > std::numeric_limits<int>::max())
      throw std::logic_error("MPI collectives: row of over 2^31 elements");
    check_mpi(MPI_Type_contiguous(static_cast<int>(elements), element, &type_),
              "MPI_Type_contiguous");
    check_mpi(MPI_Type_commit(&type_), "MPI_Type_commit");
  }
  ~RowType() { MPI_Type_free(&type_); }
  RowType(const RowType&) = delete;
  RowType& operator=(const RowType&) = delete;
  MPI_Datatype get() const { return type_; }

 private:
  MPI_Datatype type_ = MPI_DATATYPE_NULL;
};

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
      for (const auto& tensor : op.gathered) check_tensor(tensor);
      check_gathered_rows("MPI collectives", op.tensor, op.gathered, rank_, size_);
      allgather(op.tensor, op.gathered);
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
  const MPI_Datatype type = mpi_type(tensor.scalar_type());
  for_pieces(tensor, [&](void* data, int count) {
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, data, count, type, MPI_SUM, comm_), "MPI_Allreduce");
  });
}

void MpiCollectives::broadcast_pieces(const at::Tensor& tensor, int root) const {
  const MPI_Datatype type = mpi_type(tensor.scalar_type());
  for_pieces(tensor, [&](void* data, int count) {
    check_mpi(MPI_Bcast(data, count, type, root, comm_), "MPI_Bcast");
  });
}

void MpiCollectives::allgather(const at::Tensor& rows,
                               const std::vector<at::Tensor>& gathered) const {
  std::vector<int> counts, starts;
  int64_t total = 0;
  for (const auto& tensor : gathered) {
    if (total + tensor.size(0) > std::numeric_limits<int>::max()) {
      throw std::logic_error("MPI collectives: allgather of over 2^31 rows");
    }
    starts.push_back(static_cast<int>(total));
    counts.push_back(static_cast<int>(tensor.size(0)));
    total += tensor.size(0);
  }
  std::vector<int64_t> row_shape(rows.sizes().begin() + 1, rows.sizes().end());
  const int64_t row_elements = c10::multiply_integers(row_shape);
  if (total * row_elements == 0) return;

  const bool in_place = adjacent(gathered);
  std::vector<int64_t> shape = rows.sizes().vec();
  shape[0] = total;
  const at::Tensor staging = in_place ? at::Tensor() : at::empty(shape, rows.options());
  const auto first =
      std::find_if(gathered.begin(), gathered.end(), [](const auto& t) { return t.numel() > 0; });
  void* const target = in_place ? first->data_ptr() : staging.data_ptr();
  const RowType row(row_elements, mpi_type(rows.scalar_type()));
  check_mpi(MPI_Allgatherv(rows.data_ptr(), counts[rank_], row.get(), target, counts.data(),
                           starts.data(), row.get(), comm_),
            "MPI_Allgatherv");
  if (in_place) return;
  for (size_t i = 0; i < gathered.size(); ++i)
    gathered[i].copy_(staging.narrow(0, starts[i], counts[i]));
}

std::unique_ptr<Collectives> make_mpi_collectives(const Control& control) {
  MPI_Comm comm = MPI_COMM_NULL;
  check_mpi(MPI_Comm_dup(control.comm(), &comm), "MPI_Comm_dup");
  return std::make_unique<MpiCollectives>(comm);
}

}  // namespace kdbench
