// SPDX-License-Identifier: MIT
#include "methods/models/decoder_parts.h"

#include <stdexcept>
#include <string>

#include "io/base/error.h"
#include "methods/ops/row_kernels.h"

namespace kdbench {

Floats floats_of(const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  const float* data = values.const_data_ptr<float>();
  return {data, data + values.numel()};
}

PackedNorm::PackedNorm(const LayerNormParameters& norm)
    : gamma_(floats_of(norm.gamma)),
      beta_(floats_of(norm.beta)),
      eps_(static_cast<float>(norm.eps)) {}

void PackedNorm::operator()(int64_t rows, const Floats& x, Floats& y) const {
  const auto width = static_cast<int64_t>(gamma_.size());
  Floats scratch(width);
  for (int64_t row = 0; row < rows; ++row) {
    normalize(width, x.data() + row * width, eps_, gamma_.data(), beta_.data(), scratch.data(),
              y.data() + row * width);
  }
}

void check_step(const std::vector<int64_t>& places, const std::vector<int64_t>& ids,
                const std::vector<int64_t>& lengths, int64_t longest, int64_t vocabulary) {
  if (places.size() != ids.size()) throw std::logic_error("Decoder: one id for each place");
  std::vector<bool> seen(lengths.size());
  for (const int64_t place : places) {
    if (seen.at(place)) throw std::logic_error("Decoder: a place stands twice in a step");
    if (lengths[place] >= longest) throw std::logic_error("Decoder: a place is full");
    seen[place] = true;
  }
  for (const int64_t id : ids) {
    if (id >= 0 && id < vocabulary) continue;
    throw_user_error("tokens",
                     "id " + std::to_string(id) + ", but the model's vocabulary has " +
                         std::to_string(vocabulary) + " entries",
                     "the tokenizer is another model's");
  }
}

}  // namespace kdbench
