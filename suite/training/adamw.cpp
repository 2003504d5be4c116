// SPDX-License-Identifier: MIT
#include "suite/training/adamw.h"

#include <cmath>
#include <stdexcept>

#include "methods/ops/simd.h"
#include "suite/training/adam_moments.h"

namespace kdbench {
namespace {

// The step's numbers as the kernel needs them.
struct AdamWFactors {
  AdamWFactors(const OptimizerSettings& settings, const AdamWStep& step, bool decay)
      : moments(settings, step.scale),
        shrink(decay ? static_cast<float>(step.shrink) : 1.0F),
        rate(static_cast<float>(step.rate)),
        correction(static_cast<float>(step.correction)),
        epsilon(static_cast<float>(settings.epsilon)) {}
  MomentFactors moments;
  float shrink, rate, correction, epsilon;
};

KDBENCH_SIMD void update(float* __restrict values, float* __restrict gradients,
                         float* __restrict first, float* __restrict second, int64_t count,
                         AdamWFactors f) {
  for (int64_t i = 0; i < count; ++i) {
    const auto [m, v] = advance_moments(gradients[i], first[i], second[i], f.moments);
    values[i] = values[i] * f.shrink - f.rate * m / (std::sqrt(v) * f.correction + f.epsilon);
    gradients[i] = 0.0F;
  }
}

}  // namespace

AdamW::AdamW(const OptimizerSettings& settings, const Parameters& parameters, Path path)
    : settings_(settings), path_(path) {
  Parameters like = parameters;
  if (path == Path::kFused && !like.values().is_cpu()) {
    throw std::logic_error("AdamW: the fused path is for CPU buffers");
  }
  first_ = at::zeros_like(like.values());
  second_ = at::zeros_like(like.values());
  spans_ = cut_spans(parameters.layout());
  if (path_ == Path::kTensorOps) {
    decay_mask_ = at::zeros_like(first_);
    for (const auto& span : spans_)
      decay_mask_.narrow(0, span.begin, span.end - span.begin).fill_(span.decay);
  }
}

double AdamW::step(Parameters& parameters, double learning_rate) {
  at::NoGradGuard no_grad;
  const at::Tensor& gradients = parameters.gradients();
  const bool fused = path_ == Path::kFused;
  const double norm =
      fused ? flat_norm(gradients, spans_)
            : at::linalg_vector_norm(gradients, 2, {}, false, at::kDouble).item<double>();
  const AdamWStep step = next_step(norm, learning_rate);
  if (fused) {
    update_fused(parameters, step);
  } else {
    update_by_tensor_ops(parameters, step);
  }
  return norm;
}

AdamWStep AdamW::next_step(double norm, double learning_rate) {
  ++steps_;
  const auto t = static_cast<double>(steps_);
  AdamWStep step;
  step.scale = clip_scale(norm, settings_.clip);
  step.shrink = 1.0 - learning_rate * settings_.weight_decay;
  step.rate = learning_rate / (1.0 - std::pow(settings_.beta1, t));
  step.correction = 1.0 / std::sqrt(1.0 - std::pow(settings_.beta2, t));
  return step;
}

void AdamW::update_fused(Parameters& parameters, const AdamWStep& step) {
  float* const values = parameters.values().data_ptr<float>();
  float* const gradients = parameters.gradients().data_ptr<float>();
  float* const first = first_.data_ptr<float>();
  float* const second = second_.data_ptr<float>();
  const AdamWFactors decayed(settings_, step, true), plain(settings_, step, false);
  for_spans(spans_, [&](const FlatSpan& span) {
    update(values + span.begin, gradients + span.begin, first + span.begin, second + span.begin,
           span.end - span.begin, span.decay ? decayed : plain);
  });
  // Autograd must notice a graph that still needs the old values, as after any in-place operation.
  parameters.values().unsafeGetTensorImpl()->bump_version();
}

void AdamW::update_by_tensor_ops(Parameters& parameters, const AdamWStep& step) {
  at::Tensor& gradients = parameters.gradients();
  advance_moments(gradients, first_, second_, settings_, step.scale);
  parameters.values().mul_(1.0 + (step.shrink - 1.0) * decay_mask_);
  parameters.values().addcdiv_(first_, second_.sqrt().mul_(step.correction).add_(settings_.epsilon),
                               -step.rate);
  gradients.zero_();
}

}  // namespace kdbench
