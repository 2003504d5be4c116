// SPDX-License-Identifier: MIT
#include "suite/training/bert_adam.h"

#include <algorithm>
#include <cmath>
#include <utility>

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

BertAdam::BertAdam(const OptimizerSettings& settings, const Parameters& parameters,
                   const RankPart& part)
    : settings_(settings), on_cpu_(parameters.device().is_cpu()) {
  first_ = at::zeros_like(parameters.values());
  second_ = at::zeros_like(parameters.values());
  const ParameterLayout& layout = parameters.layout();
  const auto own = own_ranges(layout, parameters.device().type(), part);
  for (const auto& segment : layout.segments()) {
    Piece piece;
    piece.decay = segment.decay;
    const FlatRange whole{segment.offset, segment.offset + segment.size};
    for (const auto& range : own) {
      add_span(std::max(whole.begin, range.begin), std::min(whole.end, range.end), piece);
    }
    if (segment.token_table) {
      piece.table = token_table(segment, part);
      if (!on_cpu_) add_span(whole.begin, whole.end, piece);
    }
    pieces_.push_back(std::move(piece));
  }
  if (on_cpu_) late_ = {token_tables(layout, part), update_idle};
}

// On the CPU cut for its threads.
void BertAdam::add_span(int64_t begin, int64_t end, Piece& piece) const {
  if (begin >= end) return;
  std::vector<FlatSpan> cut{{begin, end, piece.decay}};
  if (on_cpu_) cut = cut_range(begin, end, piece.decay);
  piece.spans.insert(piece.spans.end(), cut.begin(), cut.end());
}

std::vector<FlatSpan> BertAdam::moved_of(const Piece& piece, TouchedTokens tokens) const {
  return piece.table && on_cpu_ ? moved_spans(*piece.table, tokens) : piece.spans;
}

std::vector<FlatSpan> BertAdam::counted_of(const Piece& piece, TouchedTokens tokens) const {
  return piece.table ? counted_spans(*piece.table, on_cpu_ ? tokens : nullptr) : piece.spans;
}

at::Tensor BertAdam::squares(const Parameters& parameters, TouchedTokens tokens) const {
  const at::NoGradGuard no_grad;
  const at::Tensor& gradients = parameters.gradients();
  const auto groups = static_cast<int64_t>(pieces_.size());
  at::Tensor squares = at::zeros({groups}, gradients.options().dtype(at::kDouble));
  for (int64_t group = 0; group < groups; ++group) {
    const auto spans = counted_of(pieces_[group], tokens);
    if (on_cpu_) {
      squares[group] = flat_squares(gradients, spans);
      continue;
    }
    for (const auto& span : spans)
      squares[group].add_(range_squares(gradients, {span.begin, span.end}));
  }
  return squares;
}

void BertAdam::apply(Parameters& parameters, double learning_rate,
                     const std::vector<double>& squares, double gradient_scale,
                     TouchedTokens tokens) {
  const at::NoGradGuard no_grad;
  std::vector<BertAdamFactors> of_tables;
  for (size_t group = 0; group < pieces_.size(); ++group) {
    const Piece& piece = pieces_[group];
    const double norm = std::sqrt(squares[group]) / gradient_scale;
    const double scale = clip_scale(norm, settings_.clip) / gradient_scale;
    update(parameters, piece, moved_of(piece, tokens), scale, learning_rate);
    if (piece.table) of_tables.push_back(factors_of(piece, scale, learning_rate));
  }
  if (tokens) late_.took_step(*tokens, [&](size_t table) { return of_tables[table]; });
  note_moved(parameters);
}

void BertAdam::settle(Parameters& parameters, const std::vector<int64_t>& tokens) {
  late_.settle(tokens, {parameters, first_, second_});
}

void BertAdam::settle(Parameters& parameters) { late_.settle({parameters, first_, second_}); }

BertAdamFactors BertAdam::factors_of(const Piece& piece, double scale, double learning_rate) const {
  const double decay = piece.decay ? settings_.weight_decay : 0.0;
  return {MomentFactors(settings_, scale), static_cast<float>(learning_rate),
          static_cast<float>(decay)};
}

void BertAdam::update(Parameters& parameters, const Piece& piece,
                      const std::vector<FlatSpan>& spans, double scale, double learning_rate) {
  if (on_cpu_) {
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
  for (const auto& span : spans) {
    const auto part = [&](at::Tensor& buffer) { return buffer.narrow(0, span.begin, span.size()); };
    at::Tensor values = part(parameters.values()), gradients = part(parameters.gradients());
    at::Tensor first = part(first_), second = part(second_);
    advance_moments(gradients, first, second, settings_, scale);
    const at::Tensor move = first / second.sqrt().add_(kEpsilon);
    values.sub_(move.add_(values, decay), learning_rate);
    gradients.zero_();
  }
}

}  // namespace kdbench
