// SPDX-License-Identifier: MIT
#include "suite/training/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "io/base/error.h"
#include "suite/training/adadelta.h"
#include "suite/training/adamw.h"
#include "suite/training/bert_adam.h"

namespace kdbench {

void check_optimizer(const std::string& kind, const std::string& where) {
  const auto& known = known_optimizers();
  if (std::find(known.begin(), known.end(), kind) != known.end()) return;
  static const std::vector<std::string> planned{"sgd"};
  if (std::find(planned.begin(), planned.end(), kind) != planned.end()) {
    throw_user_error(where, "optimizer \"" + kind + "\" is not available yet", "use \"adamw\"");
  }
  throw_user_error(where, "unknown optimizer \"" + kind + "\"",
                   did_you_mean(kind, known, "use \"" + known.front() + "\""));
}

double Optimizer::step(Parameters& parameters, double learning_rate, TouchedTokens tokens) {
  if (tokens) {
    settle(parameters, *tokens);
  } else {
    settle(parameters);
  }
  const at::Tensor found = squares(parameters, tokens).cpu();
  const double* const data = found.const_data_ptr<double>();
  const std::vector<double> sums(data, data + found.numel());
  apply(parameters, learning_rate, sums, 1.0, tokens);
  return norm_of(sums);
}

double norm_of(const std::vector<double>& squares) {
  return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings,
                                          const Parameters& parameters, const RankPart& part) {
  check_optimizer(settings.kind, "optimizer");
  if (settings.kind == "bert_adam") return std::make_unique<BertAdam>(settings, parameters, part);
  if (settings.kind == "adadelta") return std::make_unique<AdaDelta>(settings, parameters, part);
  return std::make_unique<AdamW>(settings, parameters, AdamW::path_of(parameters.device()), part);
}

const std::vector<std::string>& known_optimizers() {
  static const std::vector<std::string> names{"adamw", "bert_adam", "adadelta"};
  return names;
}

}  // namespace kdbench
