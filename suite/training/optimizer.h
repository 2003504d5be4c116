// SPDX-License-Identifier: MIT
// Optimizers on whole flat buffers, in visible steps: the norms of the gradients, what the trainer
// decides by them, the move. The kind of clipping belongs to the optimizer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "methods/models/parameters.h"
#include "suite/training/gradient_buckets.h"

namespace kdbench {

struct OptimizerSettings {
  std::string kind = "adamw";  // adamw | bert_adam | adadelta (later: sgd)
  double weight_decay = 0.0;
  double clip = 0.0;                                  // 0: none
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // of Adam's variants
  double rho = 0.95;                                  // of AdaDelta
};

// The distinct tokens of a step's global batch: of the tables of tokens only their rows may have a
// gradient. Other rows may be left behind, and must be settled before they are read or written.
// Null: every row may have one.
using TouchedTokens = const std::vector<int64_t>*;

// Moves this rank's parts of the values (own_ranges), and the tables of tokens. Local: gradients
// are summed over the ranks before, and values are shared after.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Sums of the squares of this rank's gradients, one for each group that is clipped together:
  // (groups) float64, on the gradients' device. Their sums over the ranks are the squared norms. Of
  // the tables each rank counts some of the rows.
  virtual at::Tensor squares(const Parameters& parameters, TouchedTokens tokens) const = 0;
  // Clips by the squared norms, moves the values, and leaves the gradients zero (one pass over the
  // buffers). All of it is of gradients divided by `gradient_scale`, but for `squares`, which are
  // what squares() gave.
  virtual void apply(Parameters& parameters, double learning_rate,
                     const std::vector<double>& squares, double gradient_scale,
                     TouchedTokens tokens) = 0;
  // Moves the rows of `tokens`, or all, to where they would be if none had been left behind.
  virtual void settle(Parameters& parameters, const std::vector<int64_t>& tokens) {}
  virtual void settle(Parameters& parameters) {}

  // What it keeps of each value between steps (moments, averages), of this rank's part alone:
  // (buffer_size) each, in its own memory. Read or written while all rows are settled.
  virtual std::vector<at::Tensor> moments() = 0;
  // Steps that were applied, where its moves depend on them.
  virtual int64_t steps() const { return 0; }
  virtual void set_steps(int64_t) {}

  // A whole step of one rank alone. Returns the global L2 norm of the gradients before clipping.
  double step(Parameters& parameters, double learning_rate, TouchedTokens tokens = nullptr);
};

// The global L2 norm.
double norm_of(const std::vector<double>& squares);

// `part`: whose values this one moves.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings,
                                          const Parameters& parameters, const RankPart& part = {});
// The ones that make_optimizer builds.
const std::vector<std::string>& known_optimizers();
// Throws a user error at `where` (file:line, key) for a name that is unknown or not available yet.
void check_optimizer(const std::string& kind, const std::string& where);

}  // namespace kdbench
