// SPDX-License-Identifier: MIT
// BertAdam, the optimizer of the first BERT programs and of PKD's: Adam without bias correction,
// clipping tensor by tensor: each is a group of gradients. g <- g min(1, clip/(|g| + 1e-6)) for
// each named tensor, p <- p - lr (m / (sqrt(v) + 1e-6) + wd p).
#pragma once

#include <optional>
#include <vector>

#include "suite/training/adam_moments.h"
#include "suite/training/flat_buffer.h"
#include "suite/training/late_rows.h"
#include "suite/training/optimizer.h"
#include "suite/training/token_tables.h"

namespace kdbench {

struct BertAdamFactors {
  MomentFactors moments;
  float rate, decay;
};

class BertAdam : public Optimizer {
 public:
  BertAdam(const OptimizerSettings& settings, const Parameters& parameters,
           const RankPart& part = {});

  at::Tensor squares(const Parameters& parameters, TouchedTokens tokens) const override;
  void apply(Parameters& parameters, double learning_rate, const std::vector<double>& squares,
             double gradient_scale, TouchedTokens tokens) override;
  void settle(Parameters& parameters, const std::vector<int64_t>& tokens) override;
  void settle(Parameters& parameters) override;
  std::vector<at::Tensor> moments() override { return {first_, second_}; }

 private:
  // One named tensor of the buffer.
  struct Piece {
    bool decay = true;
    std::vector<FlatSpan> spans;      // that this rank moves
    std::optional<TokenTable> table;  // of tokens
  };
  void add_span(int64_t begin, int64_t end, Piece& piece) const;
  std::vector<FlatSpan> moved_of(const Piece& piece, TouchedTokens tokens) const;
  std::vector<FlatSpan> counted_of(const Piece& piece, TouchedTokens tokens) const;
  void update(Parameters& parameters, const Piece& piece, const std::vector<FlatSpan>& spans,
              double scale, double learning_rate);
  BertAdamFactors factors_of(const Piece& piece, double scale, double learning_rate) const;

  OptimizerSettings settings_;
  bool on_cpu_;
  at::Tensor first_, second_;  // moments m and v, (buffer_size)
  std::vector<Piece> pieces_;
  LateRows<BertAdamFactors> late_;  // of the tables, on the CPU
};

}  // namespace kdbench
