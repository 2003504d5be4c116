// SPDX-License-Identifier: MIT
// A row is a few dozen tokens, so chunks are small (hidden_writer.h) and one read takes one row, or
// several that are neighbours on the disk.
#include "io/stores/hidden_states.h"

#include <algorithm>
#include <numeric>

#include "io/hdf5/store_dtype.h"

namespace kdbench {
namespace {

constexpr int64_t kVerifiedBytes = 16 << 20;  // float32, at once

// Where each row's states begin, and the last one's end.
std::vector<int64_t> read_offsets(const hdf5::Group& split, int64_t rows) {
  auto offsets = split.open("hidden_offsets").read_all<int64_t>();
  if (static_cast<int64_t>(offsets.size()) != rows + 1 || offsets.front() != 0 ||
      !std::is_sorted(offsets.begin(), offsets.end())) {
    split.fail("hidden_offsets", "does not divide the states into rows");
  }
  return offsets;
}

std::vector<int64_t> one_each(int64_t rows) {
  std::vector<int64_t> offsets(static_cast<size_t>(rows) + 1);
  std::iota(offsets.begin(), offsets.end(), 0);
  return offsets;
}

}  // namespace

struct HiddenStates::Stored {
  std::shared_ptr<const hdf5::File> file;  // closed after its dataset
  hdf5::Group group;
  std::string name;      // of the dataset
  hdf5::Dataset states;  // (T, layers, H)
  at::ScalarType dtype;
  std::vector<int64_t> layers, offsets;
};

HiddenStates::HiddenStates(std::shared_ptr<const hdf5::File> file, hdf5::Group split, Of what,
                           at::ScalarType dtype, int64_t rows, int64_t hidden_size) {
  const std::string name = what == Of::kCls ? "cls" : "hidden";
  auto layers = split.open(name + "_layers").read_all<int64_t>();
  auto offsets = what == Of::kCls ? one_each(rows) : read_offsets(split, rows);
  hdf5::Dataset states = split.open(name);
  const std::vector<hsize_t> expected{static_cast<hsize_t>(offsets.back()), layers.size(),
                                      static_cast<hsize_t>(hidden_size)};
  if (states.shape() != expected) {
    split.fail(name, "has another shape than the rest of the split");
  }
  with_store_type(dtype, [&](auto zero) { states.check<decltype(zero)>(); });
  layers_ = layers;
  columns_.resize(layers.size());
  std::iota(columns_.begin(), columns_.end(), 0);
  stored_ =
      std::make_shared<Stored>(Stored{std::move(file), std::move(split), name, std::move(states),
                                      dtype, std::move(layers), std::move(offsets)});
}

HiddenStates::HiddenStates(std::shared_ptr<const Stored> stored, std::vector<int64_t> layers)
    : stored_(std::move(stored)), layers_(std::move(layers)) {
  for (const int64_t layer : layers_) {
    columns_.push_back(std::find(stored_->layers.begin(), stored_->layers.end(), layer) -
                       stored_->layers.begin());
  }
}

std::shared_ptr<const HiddenStates> HiddenStates::with_layers(
    const std::vector<int64_t>& layers) const {
  const auto& held = stored_->layers;
  const bool all = std::all_of(layers.begin(), layers.end(), [&](int64_t layer) {
    return std::find(held.begin(), held.end(), layer) != held.end();
  });
  return all ? std::shared_ptr<const HiddenStates>(new HiddenStates(stored_, layers)) : nullptr;
}

int64_t HiddenStates::hidden_size() const {
  return static_cast<int64_t>(stored_->states.shape().back());
}

int64_t HiddenStates::tokens() const { return stored_->offsets.back(); }

int64_t HiddenStates::length(int64_t row) const {
  return stored_->offsets[row + 1] - stored_->offsets[row];
}

void HiddenStates::copy_run(const Run& run, float* out) const {
  with_store_type(stored_->dtype, [&](auto zero) {
    const int64_t columns = run.last_column - run.first_column, width = columns * hidden_size();
    const int64_t first = stored_->offsets[run.first->row];
    const int64_t tokens = stored_->offsets[(run.last - 1)->row + 1] - first;
    std::vector<decltype(zero)> states(static_cast<size_t>(tokens * width));
    stored_->states.read_block(first, tokens, columns_[run.first_column], columns, states.data());
    const int64_t out_width = static_cast<int64_t>(layers_.size()) * hidden_size();
    for (auto wanted = run.first; wanted != run.last; ++wanted) {
      const auto* from = states.data() + (stored_->offsets[wanted->row] - first) * width;
      float* to = out + wanted->begin * out_width + run.first_column * hidden_size();
      for (int64_t token = 0; token < length(wanted->row); ++token) {
        // A loop of its own: LibTorch's threads cost more than they gain on a row.
        std::transform(from, from + width, to,
                       [](auto value) { return static_cast<float>(value); });
        from += width;
        to += out_width;
      }
    }
  });
}

at::Tensor HiddenStates::read(const std::vector<int64_t>& rows) const {
  std::vector<Wanted> wanted;
  int64_t tokens = 0;
  for (const int64_t row : rows) {
    wanted.push_back({row, tokens});
    tokens += length(row);
  }
  std::sort(wanted.begin(), wanted.end(),
            [](const Wanted& a, const Wanted& b) { return a.row < b.row; });
  const auto layers = static_cast<int64_t>(layers_.size());
  const at::Tensor states = at::empty({tokens, layers, hidden_size()}, at::kFloat);
  for (auto first = wanted.begin(); first != wanted.end();) {
    auto last = first + 1;
    while (last != wanted.end() && last->row - (last - 1)->row <= 1) ++last;
    for (int64_t column = 0; column < layers;) {
      int64_t end = column + 1;
      while (end < layers && columns_[end] == columns_[end - 1] + 1) ++end;
      copy_run({first, last, column, end}, states.mutable_data_ptr<float>());
      column = end;
    }
    first = last;
  }
  if (!all_finite({states.const_data_ptr<float>(), static_cast<size_t>(states.numel())})) {
    stored_->group.fail(stored_->name, "holds NaN or infinity");
  }
  return states;
}

void HiddenStates::verify(int part, int parts) const {
  const auto rows = static_cast<int64_t>(stored_->offsets.size()) - 1;
  const int64_t token_bytes =
      std::max<int64_t>(static_cast<int64_t>(columns_.size()) * hidden_size() * 4, 1);
  std::vector<int64_t> piece;
  int64_t tokens = 0;
  for (int64_t row = rows * part / parts; row < rows * (part + 1) / parts; ++row) {
    piece.push_back(row);
    tokens += length(row);
    if (tokens * token_bytes < kVerifiedBytes) continue;
    read(piece);
    piece.clear();
    tokens = 0;
  }
  read(piece);
}

}  // namespace kdbench
