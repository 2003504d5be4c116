// SPDX-License-Identifier: MIT
#include "suite/training/bert_adam.h"

#include <cmath>

#include "methods/ops/simd.h"
#include "suite/training/adam_moments.h"

namespace kdbench {
namespace {

constexpr double kEpsilon = 1e-6;  // outside the root

// The value after a step with this gradient; the moments are moved. Inlined as advance_moments is.
[[gnu::always_inline]] inline float moved(float value, float gradient, float& first, float& second,
                                          const BertAdamFactors& f) {
  const auto [m, v] = advance_moments(gradient, first, second, f.moments);
  return value - f.rate * (m / (std::sqrt(v) + static_cast<float>(kEpsilon)) + f.decay * value);
}

KDBENCH_SIMD void update_span(float* __restrict values, float* __restrict gradients,
                              float* __restrict first, float* __restrict second, int64_t count,
                              BertAdamFactors f) {
  for (int64_t i = 0; i < count; ++i) {
    values[i] = moved(values[i], gradients[i], first[i], second[i], f);
    gradients[i] = 0.0F;
  }
}

// `steps` steps without a gradient. What never had one has no moments: it decays, and that is all.
KDBENCH_SIMD void update_idle(float* __restrict values, float* __restrict first,
                              float* __restrict second, int64_t count,
                              const BertAdamFactors* factors, int64_t steps) {
  float moments = 0.0F;
  for (int64_t i = 0; i < count; ++i) moments += std::abs(first[i]) + second[i];
  for (const BertAdamFactors* f = factors; f < factors + steps; ++f) {
    if (moments == 0.0F) {
      for (int64_t i = 0; i < count; ++i) values[i] -= f->rate * (f->decay * values[i]);
      continue;
    }
    for (int64_t i = 0; i < count; ++i) values[i] = moved(values[i], 0.0F, first[i], second[i], *f);
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
                       cut_range(segment.offset, end, segment.decay), std::nullopt});
    if (segment.token_table && like.values().is_cpu())
      pieces_.back().late.emplace(token_table(segment));
  }
}

double BertAdam::step(Parameters& parameters, double learning_rate) {
  settle(parameters);
  return step_pieces(parameters, learning_rate, nullptr);
}

double BertAdam::step(Parameters& parameters, double learning_rate,
                      const std::vector<int64_t>& tokens) {
  settle(parameters, tokens);
  return step_pieces(parameters, learning_rate, &tokens);
}

double BertAdam::step_pieces(Parameters& parameters, double learning_rate,
                             const std::vector<int64_t>* tokens) {
  at::NoGradGuard no_grad;
  double squares = 0.0;
  for (auto& piece : pieces_) {
    const bool some_rows = piece.late && tokens;
    const auto spans = some_rows ? row_spans(piece.late->table(), *tokens) : piece.spans;
    const double norm = norm_of(parameters.gradients(), piece, spans);
    squares += norm * norm;
    const double scale = clip_scale(norm, settings_.clip);
    update(parameters, piece, spans, scale, learning_rate);
    if (some_rows) piece.late->took_step(factors_of(piece, scale, learning_rate), *tokens);
  }
  note_moved(parameters);
  return std::sqrt(squares);
}

void BertAdam::settle(Parameters& parameters, const std::vector<int64_t>& tokens) {
  for (auto& piece : pieces_) {
    if (piece.late) piece.late->settle(tokens, idle(parameters));
  }
}

void BertAdam::settle(Parameters& parameters) {
  for (auto& piece : pieces_) {
    if (piece.late) piece.late->settle_all(idle(parameters));
  }
}

LateRows<BertAdamFactors>::Idle BertAdam::idle(Parameters& parameters) {
  return [values = parameters.values().data_ptr<float>(), first = first_.data_ptr<float>(),
          second = second_.data_ptr<float>()](const FlatSpan& span, const BertAdamFactors* factors,
                                              int64_t steps) {
    update_idle(values + span.begin, first + span.begin, second + span.begin, span.size(), factors,
                steps);
  };
}

BertAdamFactors BertAdam::factors_of(const Piece& piece, double scale, double learning_rate) const {
  const double decay = piece.decay ? settings_.weight_decay : 0.0;
  return {MomentFactors(settings_, scale), static_cast<float>(learning_rate),
          static_cast<float>(decay)};
}

double BertAdam::norm_of(const at::Tensor& gradients, const Piece& piece,
                         const std::vector<FlatSpan>& spans) const {
  if (gradients.is_cpu()) return flat_norm(gradients, spans);
  return at::linalg_vector_norm(gradients.narrow(0, piece.begin, piece.size), 2, {}, false,
                                at::kDouble)
      .item<double>();
}

void BertAdam::update(Parameters& parameters, const Piece& piece,
                      const std::vector<FlatSpan>& spans, double scale, double learning_rate) {
  if (parameters.values().is_cpu()) {
    const BertAdamFactors factors = factors_of(piece, scale, learning_rate);
    float* const values = parameters.values().data_ptr<float>();
    float* const gradients = parameters.gradients().data_ptr<float>();
    float* const first = first_.data_ptr<float>();
    float* const second = second_.data_ptr<float>();
    for_spans(spans, [&](const FlatSpan& span) {
      update_span(values + span.begin, gradients + span.begin, first + span.begin,
                  second + span.begin, span.size(), factors);
    });
    return;
  }
  const double decay = piece.decay ? settings_.weight_decay : 0.0;
  const auto part = [&](at::Tensor& buffer) { return buffer.narrow(0, piece.begin, piece.size); };
  at::Tensor values = part(parameters.values()), gradients = part(parameters.gradients());
  at::Tensor first = part(first_), second = part(second_);
  advance_moments(gradients, first, second, settings_, scale);
  const at::Tensor move = first / second.sqrt().add_(kEpsilon);
  values.sub_(move.add_(values, decay), learning_rate);
  gradients.zero_();
}

}  // namespace kdbench
