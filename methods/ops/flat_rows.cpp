// SPDX-License-Identifier: MIT
#include "methods/ops/flat_rows.h"

#include <algorithm>
#include <numeric>

namespace kdbench {

FlatRows::FlatRows(const at::Tensor& offsets, at::Device device) {
  const int64_t* starts = offsets.const_data_ptr<int64_t>();
  const auto length = [&](int64_t row) { return starts[row + 1] - starts[row]; };
  places_.resize(offsets.size(0) - 1);
  std::iota(places_.begin(), places_.end(), 0);
  std::stable_sort(places_.begin(), places_.end(),
                   [&](int64_t a, int64_t b) { return length(a) > length(b); });

  at::Tensor tokens = at::empty({starts[rows()]}, at::kLong);
  int64_t* token = tokens.mutable_data_ptr<int64_t>();
  int64_t done = 0, position = 0;
  for (int64_t active = rows(); active > 0; --active) {
    const int64_t end = length(places_[active - 1]);
    if (end == position) continue;
    blocks_.push_back({active, position, end - position, done});
    for (int64_t place = 0; place < active; ++place) {
      const int64_t first = starts[places_[place]];
      std::iota(token + done, token + done + end - position, first + position);
      done += end - position;
    }
    position = end;
  }
  tokens_ = tokens.to(device);
}

std::vector<int64_t> FlatRows::places_of(int64_t first, int64_t count) const {
  std::vector<int64_t> found;
  for (int64_t place = 0; place < rows(); ++place) {
    if (places_[place] >= first && places_[place] < first + count) found.push_back(place);
  }
  return found;
}

at::Tensor FlatRows::arrange(const at::Tensor& tokens) const {
  return tokens.index_select(0, tokens_);
}

void FlatRows::add_back(at::Tensor& sum, const at::Tensor& arranged, double scale) const {
  sum.index_add_(0, tokens_, arranged, scale);
}

at::Tensor FlatRows::part(const at::Tensor& arranged, const Block& block) {
  return arranged.narrow(0, block.token, block.rows * block.positions)
      .view({block.rows, block.positions * arranged.size(1)});
}

at::Tensor FlatRows::tokens_of(const Block& block) const {
  return tokens_.narrow(0, block.token, block.rows * block.positions)
      .view({block.rows, block.positions});
}

at::Tensor flat_gram(const FlatRows& rows, const at::Tensor& arranged) {
  at::Tensor gram = at::zeros({rows.rows(), rows.rows()}, arranged.options());
  for (const auto& block : rows.blocks()) {
    const at::Tensor x = FlatRows::part(arranged, block);
    gram.narrow(0, 0, block.rows).narrow(1, 0, block.rows).addmm_(x, x.t());
  }
  return gram;
}

}  // namespace kdbench
