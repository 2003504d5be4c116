// SPDX-License-Identifier: MIT
#include "io/row_exchange.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "io/error.h"

namespace kdbench {
namespace {

constexpr int64_t kWindowBytes = 64 << 20;  // of float32, on all ranks together

// Consecutive positions, `piece` on each rank.
struct Window {
  int64_t first;
  int64_t piece;
};

// One row as an MPI type, so that counts are in rows and stay small.
class RowType {
 public:
  explicit RowType(int64_t width) {
    MPI_Type_contiguous(static_cast<int>(width), MPI_FLOAT, &type_);
    MPI_Type_commit(&type_);
  }
  ~RowType() { MPI_Type_free(&type_); }
  RowType(const RowType&) = delete;
  RowType& operator=(const RowType&) = delete;
  MPI_Datatype get() const { return type_; }

 private:
  MPI_Datatype type_;
};

// Brings the rows of this rank's part of the window here, in order: (rows here, width).
std::vector<float> exchange(const Ranks& ranks, const RowOrder& order, const Window& window,
                            int64_t width, MPI_Datatype row_type, const std::vector<float>& rows) {
  const auto& positions = order.positions;
  const auto end_position = window.first + window.piece * ranks.size;
  const auto begin =
      std::lower_bound(positions.begin(), positions.end(), window.first) - positions.begin();
  const auto end =
      std::lower_bound(positions.begin(), positions.end(), end_position) - positions.begin();
  std::vector<int> send(ranks.size, 0), receive(ranks.size, 0);
  std::vector<float> outgoing(static_cast<size_t>((end - begin) * width));
  for (auto i = begin; i < end; ++i) {
    ++send[(positions[i] - window.first) / window.piece];
    std::memcpy(outgoing.data() + (i - begin) * width, rows.data() + order.local[i] * width,
                width * sizeof(float));
  }
  MPI_Alltoall(send.data(), 1, MPI_INT, receive.data(), 1, MPI_INT, ranks.comm);
  const std::vector<int> send_at = starts_of(send), receive_at = starts_of(receive);
  const int64_t arriving = receive_at.back() + receive.back();
  std::vector<int64_t> where(arriving);
  std::vector<float> incoming(static_cast<size_t>(arriving * width));
  MPI_Alltoallv(positions.data() + begin, send.data(), send_at.data(), MPI_INT64_T, where.data(),
                receive.data(), receive_at.data(), MPI_INT64_T, ranks.comm);
  MPI_Alltoallv(outgoing.data(), send.data(), send_at.data(), row_type, incoming.data(),
                receive.data(), receive_at.data(), row_type, ranks.comm);
  std::vector<float> ordered(incoming.size());
  const int64_t here = window.first + window.piece * ranks.rank;
  for (int64_t i = 0; i < arriving; ++i) {
    std::memcpy(ordered.data() + (where[i] - here) * width, incoming.data() + i * width,
                width * sizeof(float));
  }
  return ordered;
}

at::Tensor converted(const std::vector<float>& values, at::ScalarType dtype) {
  const at::Tensor all = at::from_blob(const_cast<float*>(values.data()),
                                       {static_cast<int64_t>(values.size())}, at::kFloat);
  const at::Tensor stored = all.to(dtype);
  if (dtype != at::kFloat &&
      at::logical_and(all.isfinite(), stored.isfinite().logical_not()).any().item<bool>()) {
    throw_user_error(std::string("store_dtype = ") + (dtype == at::kHalf ? "float16" : "bfloat16"),
                     "a hidden state is too large for it", "use float32 or bfloat16");
  }
  return stored;
}

void write_piece(const hdf5::Dataset& dataset, int64_t first, int64_t rows,
                 const at::Tensor& values) {
  switch (values.scalar_type()) {
    case at::kHalf:
      return dataset.write(first, rows, values.const_data_ptr<at::Half>());
    case at::kBFloat16:
      return dataset.write(first, rows, values.const_data_ptr<at::BFloat16>());
    default:
      return dataset.write(first, rows, values.const_data_ptr<float>());
  }
}

}  // namespace

RowOrder order_rows(const Ranks& ranks, const std::vector<int64_t>& my_ids,
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
  order.local.resize(my_ids.size());
  std::iota(order.local.begin(), order.local.end(), 0);
  std::sort(order.local.begin(), order.local.end(),
            [&](int64_t a, int64_t b) { return my_ids[a] < my_ids[b]; });
  for (const int64_t row : order.local) {
    order.positions.push_back(std::lower_bound(order.ids.begin(), order.ids.end(), my_ids[row]) -
                              order.ids.begin());
  }
  return order;
}

void write_ordered(const Ranks& ranks, const RowOrder& order, const hdf5::Dataset& dataset,
                   at::ScalarType dtype, const std::vector<float>& rows) {
  const int64_t width = dataset.row_width();
  const int64_t total = dataset.rows();
  const int64_t chunk = dataset.chunk_rows();  // pieces are whole chunks: no two ranks share one
  const int64_t row_bytes = std::max<int64_t>(width, 1) * static_cast<int64_t>(sizeof(float));
  const int64_t piece = std::max<int64_t>(kWindowBytes / ranks.size / row_bytes / chunk, 1) * chunk;
  const RowType row_type(width);
  for (int64_t first = 0; first < total; first += piece * ranks.size) {
    const std::vector<float> mine =
        exchange(ranks, order, {first, piece}, width, row_type.get(), rows);
    at::Tensor values;
    agree(ranks, [&] { values = converted(mine, dtype); });
    const int64_t here = std::min(first + piece * ranks.rank, total);
    write_piece(dataset, here, std::min(piece, total - here), values);
  }
}

}  // namespace kdbench
