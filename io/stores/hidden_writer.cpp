// SPDX-License-Identifier: MIT
#include "io/stores/hidden_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "io/base/error.h"
#include "io/hdf5/store_dtype.h"

namespace kdbench {
namespace {

constexpr int64_t kWindowBytes = 32 << 20;  // of float32, for each rank

// Of one layer: less than a row. A read touches whole chunks: for a row of 40 tokens, 768 floats
// wide, 1.5 times its bytes; with chunks of 1 MiB it would be 9 times.
constexpr int64_t kChunkBytes = 64 << 10;

hdf5::Dataset make_dataset(const hdf5::Group& split, const HiddenLayout& layout,
                           at::ScalarType dtype) {
  const auto token_bytes = layout.hidden_size * static_cast<int64_t>(c10::elementSize(dtype));
  const int64_t chunk = std::max<int64_t>(kChunkBytes / std::max<int64_t>(token_bytes, 1), 1);
  return split.create(
      "hidden", disk_type(dtype),
      {layout.offsets.back(), static_cast<int64_t>(layout.layers.size()), layout.hidden_size},
      {chunk, 1, layout.hidden_size});
}

}  // namespace

HiddenWriter::HiddenWriter(const Communicator& ranks, const hdf5::Group& split, HiddenLayout layout,
                           at::ScalarType dtype)
    : ranks_(ranks),
      layout_(std::move(layout)),
      dtype_(dtype),
      dataset_(make_dataset(split, layout_, dtype)) {
  split.write_integers("hidden_layers", layout_.layers);
  split.write_integers("hidden_offsets", layout_.offsets);
}

std::pair<int64_t, int64_t> HiddenWriter::window() const {
  const auto rows = static_cast<int64_t>(layout_.offsets.size()) - 1;
  const int64_t token_bytes =
      std::max<int64_t>(dataset_.row_width(), 1) * static_cast<int64_t>(sizeof(float));
  const int64_t tokens = kWindowBytes / token_bytes * ranks_.size;
  int64_t end = std::min(next_row_ + 1, rows);  // a row at least
  while (end < rows && layout_.offsets[end + 1] - layout_.offsets[next_row_] <= tokens) ++end;
  return {next_row_, end};
}

void HiddenWriter::take(const std::vector<int64_t>& rows, const std::vector<float>& states) {
  const auto [first, end] = window();
  for (const int64_t row : rows) {
    if (row < first || row >= end) {
      throw_machine_error("teacher store", fmt::format("row {} is not of this window", row));
    }
    for (int64_t token = layout_.offsets[row]; token < layout_.offsets[row + 1]; ++token) {
      positions_.push_back(token);
    }
  }
  states_.insert(states_.end(), states.begin(), states.end());
  if (states_.size() != positions_.size() * static_cast<size_t>(dataset_.row_width())) {
    throw_machine_error("teacher store", "hidden has another number of states than of tokens");
  }
}

void HiddenWriter::write(const std::vector<int64_t>& rows, const std::vector<float>& states) {
  agree(ranks_, [&] { take(rows, states); });
  const int64_t end = layout_.offsets[window().second];
  const bool last = window().second + 1 == static_cast<int64_t>(layout_.offsets.size());
  const int64_t held = sum(ranks_, static_cast<int64_t>(positions_.size()));
  agree(ranks_, [&] {
    if (held != end - written_) {
      throw_machine_error("teacher store", "hidden: a row is missing, or given twice");
    }
  });
  next_row_ = window().second;
  // A chunk is written once: what begins one waits for the rest.
  const int64_t border = last ? end : end / dataset_.chunk_rows() * dataset_.chunk_rows();
  RowPlaces places{std::vector<int64_t>(positions_.size()), positions_};
  std::iota(places.local.begin(), places.local.end(), 0);
  write_range(ranks_, places, written_, border, dataset_, dtype_, states_);
  const auto done = std::lower_bound(positions_.begin(), positions_.end(), border);
  states_.erase(states_.begin(),
                states_.begin() + (done - positions_.begin()) * dataset_.row_width());
  positions_.erase(positions_.begin(), done);
  written_ = border;
}

}  // namespace kdbench
