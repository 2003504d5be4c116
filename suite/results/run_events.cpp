// SPDX-License-Identifier: MIT
#include "suite/results/run_events.h"

namespace kdbench {

nlohmann::json step_event(const StepRecord& record) {
  nlohmann::json line{{"type", "step"},
                      {"phase", record.phase},
                      {"phase_name", record.phase_name},
                      {"epoch", record.epoch},
                      {"step", record.step}};
  for (const auto& update : record.updates) {
    const std::string prefix = update.model == kStudent ? "" : update.model + "_";
    line[prefix + "loss"] = update.loss;
    line[prefix + "learning_rate"] = update.learning_rate;
    line[prefix + "grad_norm"] = update.grad_norm;
    if (update.skipped) line[prefix + "skipped"] = true;
    for (const auto& [name, value] : update.terms) line["terms"][prefix + name] = value;
  }
  line["step_s"] = record.step_s;
  line["samples"] = record.samples;
  return line;
}

nlohmann::json evaluation_event(const EvaluationRecord& record) {
  return {{"type", "evaluation"}, {"phase", record.phase}, {"epoch", record.epoch},
          {"step", record.step},  {"model", record.model}, {"metrics", record.metrics}};
}

}  // namespace kdbench
