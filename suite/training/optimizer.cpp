// SPDX-License-Identifier: MIT
#include "suite/training/optimizer.h"

#include <algorithm>

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

std::unique_ptr<Optimizer> make_optimizer(const OptimizerSettings& settings,
                                          const Parameters& parameters) {
  check_optimizer(settings.kind, "optimizer");
  if (settings.kind == "bert_adam") return std::make_unique<BertAdam>(settings, parameters);
  if (settings.kind == "adadelta") return std::make_unique<AdaDelta>(settings, parameters);
  const auto path = parameters.device().is_cpu() ? AdamW::Path::kFused : AdamW::Path::kTensorOps;
  return std::make_unique<AdamW>(settings, parameters, path);
}

const std::vector<std::string>& known_optimizers() {
  static const std::vector<std::string> names{"adamw", "bert_adam", "adadelta"};
  return names;
}

}  // namespace kdbench
