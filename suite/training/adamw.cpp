// SPDX-License-Identifier: MIT
#include "suite/training/adamw.h"

#include <cmath>
#include <stdexcept>

#include "methods/ops/simd.h"
#include "suite/training/adam_moments.h"

namespace kdbench {
namespace {

// The value after a step with this gradient; the moments are moved. Inlined as advance_moments is.
[[gnu::always_inline]] inline float moved(float value, float gradient, float& first, float& second,
                                          const AdamWFactors& f) {
  const auto [m, v] = advance_moments(gradient, first, second, f.moments);
  return value * f.shrink - f.rate * m / (std::sqrt(v) * f.correction + f.epsilon);
}

KDBENCH_SIMD void update(float* __restrict values, float* __restrict gradients,
                         float* __restrict first, float* __restrict second, int64_t count,
                         AdamWFactors f) {
  for (int64_t i = 0; i < count; ++i) {
    values[i] = moved(values[i], gradients[i], first[i], second[i], f);
    gradients[i] = 0.0F;
  }
}

// `steps` steps without a gradient. What never had one has no moments: it decays, and that is all.
KDBENCH_SIMD void update_idle(float* __restrict values, float* __restrict first,
                              float* __restrict second, int64_t count, const AdamWFactors* factors,
                              int64_t steps) {
  float moments = 0.0F;
  for (int64_t i = 0; i < count; ++i) moments += std::abs(first[i]) + second[i];
  for (const AdamWFactors* f = factors; f < factors + steps; ++f) {
    if (moments == 0.0F) {
      for (int64_t i = 0; i < count; ++i) values[i] *= f->shrink;
      continue;
    }
    for (int64_t i = 0; i < count; ++i) values[i] = moved(values[i], 0.0F, first[i], second[i], *f);
  }
}

}  // namespace

AdamWFactors::AdamWFactors(const OptimizerSettings& settings, const AdamWStep& step, bool decay)
    : moments(settings, step.scale),
      shrink(decay ? static_cast<float>(step.shrink) : 1.0F),
      rate(static_cast<float>(step.rate)),
      correction(static_cast<float>(step.correction)),
      epsilon(static_cast<float>(settings.epsilon)) {}

AdamW::AdamW(const OptimizerSettings& settings, const Parameters& parameters, Path path)
    : settings_(settings), path_(path) {
  Parameters like = parameters;
  if (path == Path::kFused && !like.values().is_cpu()) {
    throw std::logic_error("AdamW: the fused path is for CPU buffers");
  }
  first_ = at::zeros_like(like.values());
  second_ = at::zeros_like(like.values());
  spans_ = cut_spans(parameters.layout());
  if (path_ == Path::kFused) {
    dense_spans_ = cut_dense_spans(parameters.layout());
    for (const auto& table : token_tables(parameters.layout())) tables_.emplace_back(table);
  } else {
    decay_mask_ = at::zeros_like(first_);
    for (const auto& span : spans_)
      decay_mask_.narrow(0, span.begin, span.end - span.begin).fill_(span.decay);
  }
}

double AdamW::step(Parameters& parameters, double learning_rate) {
  settle(parameters);
  if (path_ == Path::kFused) return step_spans(parameters, learning_rate, spans_).second;
  at::NoGradGuard no_grad;
  const double norm =
      at::linalg_vector_norm(parameters.gradients(), 2, {}, false, at::kDouble).item<double>();
  update_by_tensor_ops(parameters, next_step(norm, learning_rate));
  return norm;
}

double AdamW::step(Parameters& parameters, double learning_rate,
                   const std::vector<int64_t>& tokens) {
  if (tables_.empty()) return step(parameters, learning_rate);
  settle(parameters, tokens);
  std::vector<FlatSpan> spans = dense_spans_;
  for (const auto& rows : tables_) {
    const auto more = row_spans(rows.table(), tokens);
    spans.insert(spans.end(), more.begin(), more.end());
  }
  const auto [step, norm] = step_spans(parameters, learning_rate, spans);
  for (auto& rows : tables_) rows.took_step({settings_, step, rows.table().decay}, tokens);
  return norm;
}

std::pair<AdamWStep, double> AdamW::step_spans(Parameters& parameters, double learning_rate,
                                               const std::vector<FlatSpan>& spans) {
  at::NoGradGuard no_grad;
  const double norm = flat_norm(parameters.gradients(), spans);
  const AdamWStep step = next_step(norm, learning_rate);
  update_fused(parameters, step, spans);
  return {step, norm};
}

void AdamW::settle(Parameters& parameters, const std::vector<int64_t>& tokens) {
  for (auto& rows : tables_) rows.settle(tokens, idle(parameters));
}

void AdamW::settle(Parameters& parameters) {
  for (auto& rows : tables_) rows.settle_all(idle(parameters));
}

LateRows<AdamWFactors>::Idle AdamW::idle(Parameters& parameters) {
  return [values = parameters.values().data_ptr<float>(), first = first_.data_ptr<float>(),
          second = second_.data_ptr<float>()](const FlatSpan& span, const AdamWFactors* factors,
                                              int64_t steps) {
    update_idle(values + span.begin, first + span.begin, second + span.begin, span.size(), factors,
                steps);
  };
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

void AdamW::update_fused(Parameters& parameters, const AdamWStep& step,
                         const std::vector<FlatSpan>& spans) {
  float* const values = parameters.values().data_ptr<float>();
  float* const gradients = parameters.gradients().data_ptr<float>();
  float* const first = first_.data_ptr<float>();
  float* const second = second_.data_ptr<float>();
  const AdamWFactors decayed(settings_, step, true), plain(settings_, step, false);
  for_spans(spans, [&](const FlatSpan& span) {
    update(values + span.begin, gradients + span.begin, first + span.begin, second + span.begin,
           span.size(), span.decay ? decayed : plain);
  });
  note_moved(parameters);
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
