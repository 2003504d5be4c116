// SPDX-License-Identifier: MIT
#include "methods/hidden_alignment.h"

#include <ATen/ATen.h>

namespace kdbench {
namespace {

// (rows) tokens of each row, on the CPU.
at::Tensor row_lengths(const Batch& batch) {
  return batch.ragged_field(field::kTokens).offsets.diff();
}

// (T): what a token weighs in a mean over its row's tokens, then over the global batch.
at::Tensor token_weights(const Batch& batch, at::Device device) {
  const at::Tensor lengths = row_lengths(batch);
  const at::Tensor weights =
      1.0 / (lengths.to(at::kFloat) * static_cast<double>(batch.global_rows));
  return weights.repeat_interleave(lengths).to(device);
}

// student, teacher (T, H), weights (T).
at::Tensor state_error(const at::Tensor& student, const at::Tensor& teacher,
                       const at::Tensor& weights) {
  const at::Tensor error = student - teacher.detach();
  return (error * error).mean(1).dot(weights);
}

// student, teacher (b, heads, L, L), zeros outside a row.
at::Tensor attention_error(const at::Tensor& student, const at::Tensor& teacher,
                           const Batch& batch) {
  const at::Tensor error = student - teacher.detach();
  const at::Tensor lengths = row_lengths(batch).to(student.device(), at::kFloat);
  const double scale = static_cast<double>(student.size(1) * batch.global_rows);
  return ((error * error).sum({1, 2, 3}) / (lengths * lengths)).sum() * (1.0 / scale);
}

}  // namespace

void request_states(const AlignmentParts& parts, int64_t student_layers, int64_t teacher_layers,
                    ForwardMode& student, ForwardMode& teacher) {
  student.attention = teacher.attention = parts.attention;
  if (parts.embeddings) {
    student.hidden_layers.push_back(0);
    teacher.hidden_layers.push_back(0);
  }
  if (!parts.hidden) return;
  for (int64_t layer = 1; layer <= student_layers; ++layer) {
    student.hidden_layers.push_back(layer);
    teacher.hidden_layers.push_back(1 + (layer - 1) * (teacher_layers / student_layers));
  }
}

std::vector<std::pair<std::string, at::Tensor>> hidden_alignment(const Outputs& student,
                                                                 const Outputs& teacher,
                                                                 const at::Tensor& projection,
                                                                 const Batch& batch,
                                                                 const AlignmentParts& parts) {
  std::vector<std::pair<std::string, at::Tensor>> terms;
  const at::Tensor weights = token_weights(batch, projection.device());
  const auto error = [&](size_t own, size_t other) {
    return state_error(at::matmul(student.hidden[own], projection.t()), teacher.hidden[other],
                       weights);
  };
  if (parts.embeddings) terms.emplace_back("align_embeddings", error(0, 0));
  if (parts.hidden) {
    const size_t layers = student.hidden.size() - 1;
    const size_t stride = (teacher.hidden.size() - 1) / layers;
    at::Tensor sum = error(1, 1);
    for (size_t layer = 1; layer < layers; ++layer)
      sum = sum + error(layer + 1, layer * stride + 1);
    terms.emplace_back("align_hidden", sum);
  }
  if (parts.attention) {
    const size_t layers = student.attention.size(), stride = teacher.attention.size() / layers;
    at::Tensor sum = attention_error(student.attention[0], teacher.attention[0], batch);
    for (size_t layer = 1; layer < layers; ++layer) {
      sum =
          sum + attention_error(student.attention[layer], teacher.attention[layer * stride], batch);
    }
    terms.emplace_back("align_attention", sum);
  }
  return terms;
}

}  // namespace kdbench
