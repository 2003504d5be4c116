// SPDX-License-Identifier: MIT
#include "suite/training/bert_adam.h"

#include <cmath>

#include "methods/ops/simd.h"
#include "suite/training/adam_moments.h"

namespace kdbench {
namespace {

constexpr double kEpsilon = 1e-6;  // outside the root

struct BertAdamFactors {
  MomentFactors moments;
  float rate, decay;
};

KDBENCH_SIMD void update_span(float* __restrict values, float* __restrict gradients,
                              float* __restrict first, float* __restrict second, int64_t count,
                              BertAdamFactors f) {
  const auto epsilon = static_cast<float>(kEpsilon);
  for (int64_t i = 0; i < count; ++i) {
    const auto [m, v] = advance_moments(gradients[i], first[i], second[i], f.moments);
    values[i] -= f.rate * (m / (std::sqrt(v) + epsilon) + f.decay * values[i]);
    gradients[i] = 0.0F;
  }
}

}  // namespace

BertAdam::BertAdam(const OptimizerSettings& settings, const Parameters& parameters)
    : settings_(settings) {
  Parameters like = parameters;
  first_ = at::zeros_like(like.values());
  second_ = at::zeros_like(like.values());
  for (const auto& segment : parameters.layout().segments()) {
    const int64_t end = segment.offset + segment.size;
    pieces_.push_back({segment.offset, segment.size, segment.decay,
                       cut_range(segment.offset, end, segment.decay)});
  }
}

double BertAdam::step(Parameters& parameters, double learning_rate) {
  at::NoGradGuard no_grad;
  double squares = 0.0;
  for (const auto& piece : pieces_) {
    const double norm = norm_of(parameters.gradients(), piece);
    squares += norm * norm;
    update(parameters, piece, clip_scale(norm, settings_.clip), learning_rate);
  }
  parameters.values().unsafeGetTensorImpl()->bump_version();  // as after any in-place operation
  return std::sqrt(squares);
}

double BertAdam::norm_of(const at::Tensor& gradients, const Piece& piece) const {
  if (gradients.is_cpu()) return flat_norm(gradients, piece.spans);
  return at::linalg_vector_norm(gradients.narrow(0, piece.begin, piece.size), 2, {}, false,
                                at::kDouble)
      .item<double>();
}

void BertAdam::update(Parameters& parameters, const Piece& piece, double scale,
                      double learning_rate) {
  const double decay = piece.decay ? settings_.weight_decay : 0.0;
  if (parameters.values().is_cpu()) {
    const BertAdamFactors factors{MomentFactors(settings_, scale),
                                  static_cast<float>(learning_rate), static_cast<float>(decay)};
    float* const values = parameters.values().data_ptr<float>();
    float* const gradients = parameters.gradients().data_ptr<float>();
    float* const first = first_.data_ptr<float>();
    float* const second = second_.data_ptr<float>();
    for_spans(piece.spans, [&](const FlatSpan& span) {
      update_span(values + span.begin, gradients + span.begin, first + span.begin,
                  second + span.begin, span.end - span.begin, factors);
    });
    return;
  }
  const auto part = [&](at::Tensor& buffer) { return buffer.narrow(0, piece.begin, piece.size); };
  at::Tensor values = part(parameters.values()), gradients = part(parameters.gradients());
  at::Tensor first = part(first_), second = part(second_);
  advance_moments(gradients, first, second, settings_, scale);
  const at::Tensor move = first / second.sqrt().add_(kEpsilon);
  values.sub_(move.add_(values, decay), learning_rate);
  gradients.zero_();
}

}  // namespace kdbench
