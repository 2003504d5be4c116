// SPDX-License-Identifier: MIT
#include "methods/ops/step_rows.h"

#include <algorithm>
#include <numeric>

#include "io/base/error.h"

namespace kdbench {

StepRows::StepRows(const at::Tensor& offsets, at::Device device) {
  const int64_t count = offsets.size(0) - 1;
  const int64_t* starts = offsets.const_data_ptr<int64_t>();
  const auto length = [&](int64_t row) { return starts[row + 1] - starts[row]; };
  std::vector<int64_t> by_length(static_cast<size_t>(count));  // row at each place
  std::iota(by_length.begin(), by_length.end(), 0);
  std::stable_sort(by_length.begin(), by_length.end(),
                   [&](int64_t a, int64_t b) { return length(a) > length(b); });
  if (count > 0 && length(by_length.back()) == 0)
    throw_user_error("tokens", "a text without tokens cannot be read");

  const int64_t tokens = starts[count];
  const at::Tensor order = at::empty({tokens}, at::kLong), first = at::empty({count}, at::kLong);
  const at::Tensor last = at::empty({count}, at::kLong);
  const at::Tensor before = at::empty({tokens - count}, at::kLong);
  int64_t* token = order.mutable_data_ptr<int64_t>();
  int64_t* previous = before.mutable_data_ptr<int64_t>();
  for (int64_t place = 0; place < count; ++place)
    first.mutable_data_ptr<int64_t>()[by_length[place]] = place;
  int64_t active = count, done = 0;
  for (int64_t position = 0; done < tokens; ++position) {
    while (length(by_length[active - 1]) == position) --active;
    for (int64_t place = 0; place < active; ++place) {
      const int64_t row = by_length[place];
      *token++ = starts[row] + position;
      if (position > 0) *previous++ = steps_.back().first + place;
      if (length(row) == position + 1) last.mutable_data_ptr<int64_t>()[row] = done + place;
    }
    steps_.push_back({active, done});
    done += active;
  }
  order_ = order.to(device);
  first_ = first.to(device);
  last_ = last.to(device);
  before_ = before.to(device);
}

}  // namespace kdbench
