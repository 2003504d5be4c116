// SPDX-License-Identifier: MIT
// Optimizers on whole flat buffers. The kind of clipping belongs to the optimizer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "methods/models/parameters.h"

namespace kdbench {

struct OptimizerSettings {
  std::string kind = "adamw";  // adamw | bert_adam | adadelta (later: sgd)
  double weight_decay = 0.0;
  double clip = 0.0;                                  // 0: none
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // of Adam's variants
  double rho = 0.95;                                  // of AdaDelta
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Clips, moves the values, and leaves the gradients zero (one pass over the buffers). Local: the
  // gradients must already be summed over ranks. Returns the global L2 norm of the gradients before
  // clipping.
  virtual double step(Parameters& parameters, double learning_rate) = 0;
  // The same where in the tables of tokens only the rows of `tokens` may have a gradient. Other
  // rows may be left behind, and must be settled before they are read or written.
  virtual double step(Parameters& parameters, double learning_rate,
                      const std::vector<int64_t>& tokens) {
    return step(parameters, learning_rate);
  }
  // Moves the rows of `tokens`, or all, to where they would be if none had been left behind.
  virtual void settle(Parameters& parameters, const std::vector<int64_t>& tokens) {}
  virtual void settle(Parameters& parameters) {}
};

std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings,
                                          const Parameters& parameters);
// The ones that make_optimizer builds.
const std::vector<std::string>& known_optimizers();
// Throws a user error at `where` (file:line, key) for a name that is unknown or not available yet.
void check_optimizer(const std::string& kind, const std::string& where);

}  // namespace kdbench
