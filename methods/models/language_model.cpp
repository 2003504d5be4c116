// SPDX-License-Identifier: MIT
#include "methods/models/language_model.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "io/base/error.h"

namespace kdbench {
namespace {

// Calls f(first token of the row, its first target, its end) for each row, as tokens of the batch.
template <typename F>
void for_each_row(const Batch& batch, const F& f) {
  const Ragged& tokens = batch.ragged_field(field::kTokens);
  const int64_t* offsets = tokens.offsets.const_data_ptr<int64_t>();
  at::Tensor first;
  if (const auto found = batch.dense.find(field::kFirstTarget); found != batch.dense.end())
    first = found->second.to(at::kCPU).contiguous();
  for (int64_t row = 0; row < batch.rows(); ++row) {
    const int64_t begin = offsets[row], end = offsets[row + 1];
    const int64_t index = first.defined() ? first.const_data_ptr<int64_t>()[row] : 1;
    f(row, std::min(end, begin + std::max<int64_t>(1, index)), end);
  }
}

}  // namespace

at::Tensor target_offsets(const Batch& batch) {
  at::Tensor offsets = at::zeros({batch.rows() + 1}, at::kLong);
  int64_t* data = offsets.mutable_data_ptr<int64_t>();
  for_each_row(batch, [&](int64_t row, int64_t first, int64_t end) {
    data[row + 1] = data[row] + end - first;
  });
  return offsets;
}

Targets find_targets(const Batch& batch) {
  const at::Tensor& ids = batch.ragged_field(field::kTokens).values;
  std::vector<int64_t> positions;
  for_each_row(batch, [&](int64_t, int64_t first, int64_t end) {
    for (int64_t token = first; token < end; ++token) positions.push_back(token - 1);
  });
  Targets targets;
  targets.positions = at::tensor(positions, at::kLong).to(ids.device());
  targets.ids = ids.index_select(0, targets.positions + 1);
  return targets;
}

std::unique_ptr<LanguageModel> make_language_model(const ModelSpec& spec) {
  std::unique_ptr<TextModel> model = make_text_model(spec);
  auto* language_model = dynamic_cast<LanguageModel*>(model.get());
  if (!language_model) {
    throw_user_error("architecture",
                     "a " + spec.config.architecture + " model does not go from left to right");
  }
  model.release();
  return std::unique_ptr<LanguageModel>(language_model);
}

}  // namespace kdbench
