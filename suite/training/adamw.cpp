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

AdamW::Path AdamW::path_of(at::Device device) {
  if (device.is_cpu()) return Path::kFused;
  return device.is_cuda() ? Path::kMultiTensor : Path::kTensorOps;
}

AdamW::AdamW(const OptimizerSettings& settings, const Parameters& parameters, Path path,
             const RankPart& part)
    : settings_(settings), path_(path), moved_(parameters, part, path == Path::kFused) {
  if (path == Path::kFused && !parameters.values().is_cpu()) {
    throw std::logic_error("AdamW: the fused path is for CPU buffers");
  }
  first_ = at::zeros_like(parameters.values());
  second_ = at::zeros_like(parameters.values());
  if (path_ != Path::kFused) return;
  tables_ = token_tables(parameters.layout(), part);
  late_ = {tables_, update_idle};
}

void AdamW::apply(Parameters& parameters, double learning_rate, const std::vector<double>& squares,
                  double gradient_scale, TouchedTokens tokens) {
  const at::NoGradGuard no_grad;
  const AdamWStep step = next_step(norm_of(squares), gradient_scale, learning_rate);
  const auto spans = moved_.spans(tokens);
  if (path_ == Path::kMultiTensor)
    return update_by_multi_tensor(parameters, step, learning_rate, spans);
  if (path_ == Path::kTensorOps) return update_by_tensor_ops(parameters, step, spans);
  update_fused(parameters, step, spans);
  if (!tokens) return;
  late_.took_step(
      *tokens, [&](size_t table) { return AdamWFactors(settings_, step, tables_[table].decay); });
}

void AdamW::settle(Parameters& parameters, const std::vector<int64_t>& tokens) {
  late_.settle(tokens, {parameters, first_, second_});
}

void AdamW::settle(Parameters& parameters) { late_.settle({parameters, first_, second_}); }

AdamWStep AdamW::next_step(double norm, double gradient_scale, double learning_rate) {
  ++steps_;
  const auto t = static_cast<double>(steps_);
  AdamWStep step;
  step.scale = clip_scale(norm / gradient_scale, settings_.clip) / gradient_scale;
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

void AdamW::update_by_multi_tensor(Parameters& parameters, const AdamWStep& step,
                                   double learning_rate, const std::vector<FlatSpan>& spans) {
  at::Tensor& gradients = parameters.gradients();
  const at::Tensor steps = at::full({}, static_cast<double>(steps_), gradients.options());
  const at::Tensor divisor = at::full({}, 1.0 / step.scale, gradients.options());
  for (const bool decay : {false, true}) {
    std::vector<at::Tensor> values, slopes, first, second;
    for (const auto& span : spans) {
      if (span.decay != decay) continue;
      const auto part = [&](at::Tensor& buffer) {
        return buffer.narrow(0, span.begin, span.size());
      };
      values.push_back(part(parameters.values()));
      slopes.push_back(part(gradients));
      first.push_back(part(first_));
      second.push_back(part(second_));
    }
    if (values.empty()) continue;
    at::_fused_adamw_(values, slopes, first, second, {},
                      std::vector<at::Tensor>(values.size(), steps), learning_rate, settings_.beta1,
                      settings_.beta2, decay ? settings_.weight_decay : 0.0, settings_.epsilon,
                      /*amsgrad=*/false, /*maximize=*/false, divisor);
  }
  gradients.zero_();
}

void AdamW::update_by_tensor_ops(Parameters& parameters, const AdamWStep& step,
                                 const std::vector<FlatSpan>& spans) {
  for (const auto& span : spans) {
    const auto part = [&](at::Tensor& buffer) { return buffer.narrow(0, span.begin, span.size()); };
    at::Tensor values = part(parameters.values()), gradients = part(parameters.gradients());
    at::Tensor first = part(first_), second = part(second_);
    advance_moments(gradients, first, second, settings_, step.scale);
    if (span.decay) values.mul_(step.shrink);
    values.addcdiv_(first, second.sqrt().mul_(step.correction).add_(settings_.epsilon), -step.rate);
  }
  parameters.gradients().zero_();
}

}  // namespace kdbench
