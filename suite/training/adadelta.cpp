// SPDX-License-Identifier: MIT
#include "suite/training/adadelta.h"

#include <cmath>

#include "methods/ops/simd.h"

namespace kdbench {
namespace {

constexpr double kAdaDeltaEpsilon = 1e-6;  // inside both roots

// The value after a step with this gradient; both averages are moved. Always inlined: a loop
// compiled for several instruction sets must not call code that is compiled for one.
[[gnu::always_inline]] inline float moved_by_adadelta(float value, float gradient, float& squares,
                                                      float& moves, const AdaDeltaFactors& f) {
  const float g = gradient * f.scale + f.decay * value;
  const float a = f.rho * squares + f.rest * (g * g);
  const float d = std::sqrt(moves + static_cast<float>(kAdaDeltaEpsilon)) /
                  std::sqrt(a + static_cast<float>(kAdaDeltaEpsilon)) * g;
  squares = a;
  moves = f.rho * moves + f.rest * (d * d);
  return value - f.rate * d;
}

KDBENCH_SIMD void adadelta_step(float* __restrict values, float* __restrict gradients,
                                float* __restrict squares, float* __restrict moves, int64_t count,
                                AdaDeltaFactors f) {
  for (int64_t i = 0; i < count; ++i) {
    values[i] = moved_by_adadelta(values[i], gradients[i], squares[i], moves[i], f);
    gradients[i] = 0.0F;
  }
}

// `steps` steps without a gradient. Where nothing decays, the averages alone fade, and what never
// had a gradient has none.
KDBENCH_SIMD void adadelta_idle(float* __restrict values, float* __restrict squares,
                                float* __restrict moves, int64_t count,
                                const AdaDeltaFactors* factors, int64_t steps) {
  float averages = 0.0F;
  for (int64_t i = 0; i < count; ++i) averages += squares[i] + moves[i];
  for (const AdaDeltaFactors* f = factors; f < factors + steps; ++f) {
    if (f->decay != 0.0F) {
      for (int64_t i = 0; i < count; ++i)
        values[i] = moved_by_adadelta(values[i], 0.0F, squares[i], moves[i], *f);
    } else if (averages != 0.0F) {
      for (int64_t i = 0; i < count; ++i) squares[i] *= f->rho;
      for (int64_t i = 0; i < count; ++i) moves[i] *= f->rho;
    }
  }
}

}  // namespace

AdaDelta::AdaDelta(const OptimizerSettings& settings, const Parameters& parameters,
                   const RankPart& part)
    : settings_(settings), moved_(parameters, part, parameters.device().is_cpu()) {
  squares_ = at::zeros_like(parameters.values());
  moves_ = at::zeros_like(parameters.values());
  if (!parameters.device().is_cpu()) return;
  tables_ = token_tables(parameters.layout(), part);
  late_ = {tables_, adadelta_idle};
}

void AdaDelta::apply(Parameters& parameters, double learning_rate,
                     const std::vector<double>& squares, double gradient_scale,
                     TouchedTokens tokens) {
  const at::NoGradGuard no_grad;
  const double norm = norm_of(squares) / gradient_scale;
  const double scale = clip_scale(norm, settings_.clip) / gradient_scale;
  const auto spans = moved_.spans(tokens);
  if (!parameters.device().is_cpu())
    return update_by_tensor_ops(parameters, scale, learning_rate, spans);
  update_fused(parameters, scale, learning_rate, spans);
  if (!tokens) return;
  late_.took_step(
      *tokens, [&](size_t table) { return factors(scale, learning_rate, tables_[table].decay); });
}

void AdaDelta::settle(Parameters& parameters, const std::vector<int64_t>& tokens) {
  late_.settle(tokens, {parameters, squares_, moves_});
}

void AdaDelta::settle(Parameters& parameters) { late_.settle({parameters, squares_, moves_}); }

AdaDeltaFactors AdaDelta::factors(double scale, double learning_rate, bool decay) const {
  return {static_cast<float>(scale), static_cast<float>(learning_rate),
          static_cast<float>(decay ? settings_.weight_decay : 0.0),
          static_cast<float>(settings_.rho), static_cast<float>(1.0 - settings_.rho)};
}

void AdaDelta::update_fused(Parameters& parameters, double scale, double learning_rate,
                            const std::vector<FlatSpan>& spans) {
  const AdaDeltaFactors decayed = factors(scale, learning_rate, true);
  const AdaDeltaFactors plain = factors(scale, learning_rate, false);
  float* const values = parameters.values().data_ptr<float>();
  float* const gradients = parameters.gradients().data_ptr<float>();
  float* const squares = squares_.data_ptr<float>();
  float* const moves = moves_.data_ptr<float>();
  for_spans(spans, [&](const FlatSpan& span) {
    adadelta_step(values + span.begin, gradients + span.begin, squares + span.begin,
                  moves + span.begin, span.size(), span.decay ? decayed : plain);
  });
  note_moved(parameters);
}

void AdaDelta::update_by_tensor_ops(Parameters& parameters, double scale, double learning_rate,
                                    const std::vector<FlatSpan>& spans) {
  const double rho = settings_.rho;
  for (const auto& span : spans) {
    const auto part = [&](at::Tensor& buffer) { return buffer.narrow(0, span.begin, span.size()); };
    at::Tensor values = part(parameters.values()), gradients = part(parameters.gradients());
    at::Tensor squares = part(squares_), moves = part(moves_);
    gradients.mul_(scale);
    if (span.decay) gradients.add_(values, settings_.weight_decay);
    squares.mul_(rho).addcmul_(gradients, gradients, 1.0 - rho);
    const at::Tensor move = (moves + kAdaDeltaEpsilon)
                                .sqrt_()
                                .div_((squares + kAdaDeltaEpsilon).sqrt_())
                                .mul_(gradients);
    moves.mul_(rho).addcmul_(move, move, 1.0 - rho);
    values.sub_(move, learning_rate);
    gradients.zero_();
  }
}

}  // namespace kdbench
