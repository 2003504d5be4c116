// SPDX-License-Identifier: MIT
#include "io/hdf5/row_exchange.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "io/base/error.h"
#include "io/base/mpi_check.h"
#include "io/hdf5/store_dtype.h"

namespace kdbench {
namespace {

constexpr int64_t kWindowBytes = 64 << 20;  // of float32, on all ranks together

// Positions [first, end), `piece` on each rank.
struct Window {
  int64_t first, end;
  int64_t piece;
};

// One row as an MPI type, so that counts are in rows and stay small.
class RowType {
 public:
  explicit RowType(int64_t width) {
    check_mpi(MPI_Type_contiguous(static_cast<int>(width), MPI_FLOAT, &type_),
              "MPI_Type_contiguous");
    check_mpi(MPI_Type_commit(&type_), "MPI_Type_commit");
  }
  ~RowType() { MPI_Type_free(&type_); }
  RowType(const RowType&) = delete;
  RowType& operator=(const RowType&) = delete;
  MPI_Datatype get() const { return type_; }

 private:
  MPI_Datatype type_;
};

// Brings the rows of this rank's part of the window here, in order: (rows here, width).
std::vector<float> exchange(const Communicator& ranks, const RowPlaces& mine, const Window& window,
                            int64_t width, MPI_Datatype row_type, const std::vector<float>& rows) {
  const auto& positions = mine.positions;
  const auto begin =
      std::lower_bound(positions.begin(), positions.end(), window.first) - positions.begin();
  const auto end =
      std::lower_bound(positions.begin(), positions.end(), window.end) - positions.begin();
  std::vector<int> send(ranks.size, 0), receive(ranks.size, 0);
  std::vector<float> outgoing(static_cast<size_t>((end - begin) * width));
  for (auto i = begin; i < end; ++i) {
    ++send[(positions[i] - window.first) / window.piece];
    std::memcpy(outgoing.data() + (i - begin) * width, rows.data() + mine.local[i] * width,
                width * sizeof(float));
  }
  check_mpi(MPI_Alltoall(send.data(), 1, MPI_INT, receive.data(), 1, MPI_INT, ranks.comm),
            "MPI_Alltoall");
  const std::vector<int> send_at = starts_of(send), receive_at = starts_of(receive);
  const int64_t arriving = receive_at.back() + receive.back();
  std::vector<int64_t> where(arriving);
  std::vector<float> incoming(static_cast<size_t>(arriving * width));
  check_mpi(MPI_Alltoallv(positions.data() + begin, send.data(), send_at.data(), MPI_INT64_T,
                          where.data(), receive.data(), receive_at.data(), MPI_INT64_T, ranks.comm),
            "MPI_Alltoallv");
  check_mpi(MPI_Alltoallv(outgoing.data(), send.data(), send_at.data(), row_type, incoming.data(),
                          receive.data(), receive_at.data(), row_type, ranks.comm),
            "MPI_Alltoallv");
  const int64_t here = std::min(window.first + window.piece * ranks.rank, window.end);
  const int64_t count = std::min(window.piece, window.end - here);
  std::vector<float> ordered(static_cast<size_t>(count * width));
  for (int64_t i = 0; i < arriving; ++i) {
    std::memcpy(ordered.data() + (where[i] - here) * width, incoming.data() + i * width,
                width * sizeof(float));
  }
  return ordered;
}

}  // namespace

RowOrder order_rows(const Communicator& ranks, const std::vector<int64_t>& my_ids,
                    const std::string& what) {
  RowOrder order;
  order.ids = gather_all(ranks, my_ids);
  std::sort(order.ids.begin(), order.ids.end());
  const auto twice = std::adjacent_find(order.ids.begin(), order.ids.end());
  if (twice != order.ids.end()) {
    Error error(ExitCode::kMachine, what, "row id " + std::to_string(*twice) + " is given twice");
    error.on_every_rank = true;
    throw error;
  }
  std::vector<int64_t>& local = order.mine.local;
  local.resize(my_ids.size());
  std::iota(local.begin(), local.end(), 0);
  std::sort(local.begin(), local.end(),
            [&](int64_t a, int64_t b) { return my_ids[a] < my_ids[b]; });
  for (const int64_t row : local) {
    order.mine.positions.push_back(
        std::lower_bound(order.ids.begin(), order.ids.end(), my_ids[row]) - order.ids.begin());
  }
  return order;
}

void write_range(const Communicator& ranks, const RowPlaces& mine, int64_t first, int64_t end,
                 const hdf5::Dataset& dataset, at::ScalarType dtype,
                 const std::vector<float>& rows) {
  const int64_t width = dataset.row_width();
  const int64_t chunk = dataset.chunk_rows();  // pieces are whole chunks: no two ranks share one
  const int64_t chunk_bytes =
      std::max<int64_t>(width, 1) * static_cast<int64_t>(sizeof(float)) * chunk;
  const int64_t fair = (end - first + ranks.size * chunk - 1) / (ranks.size * chunk);
  const int64_t piece =
      std::clamp<int64_t>(kWindowBytes / ranks.size / chunk_bytes, 1, std::max<int64_t>(fair, 1)) *
      chunk;
  const RowType row_type(width);
  for (int64_t begin = first; begin < end; begin += piece * ranks.size) {
    const std::vector<float> here =
        exchange(ranks, mine, {begin, std::min(end, begin + piece * ranks.size), piece}, width,
                 row_type.get(), rows);
    at::Tensor values;
    agree(ranks, [&] {
      values = to_store_type(at::from_blob(const_cast<float*>(here.data()),
                                           {static_cast<int64_t>(here.size())}, at::kFloat),
                             dtype);
    });
    const int64_t place = std::min(begin + piece * ranks.rank, end);
    write_rows(dataset, place, std::min(piece, end - place), values);
  }
}

void write_ordered(const Communicator& ranks, const RowOrder& order, const hdf5::Dataset& dataset,
                   at::ScalarType dtype, const std::vector<float>& rows) {
  write_range(ranks, order.mine, 0, dataset.rows(), dataset, dtype, rows);
}

}  // namespace kdbench
