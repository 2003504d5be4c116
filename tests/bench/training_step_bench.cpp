// SPDX-License-Identifier: MIT
// A whole training step by each method: batch, forward, loss, backward, sum over ranks, clipping,
// optimizer; beside the same step of plain fine-tuning. The 3-layer student learns from a 6-layer
// teacher's stored outputs, with the methods' default options.
#include <benchmark/benchmark.h>

#include <string>

#include "methods/registry.h"
#include "tests/bench/measure.h"
#include "tests/bench/training_step.h"

namespace kdbench::training_step_bench {
namespace {

void training_step(benchmark::State& state, const std::string& method, const StepSizes& sizes) {
  TrainingStep step(method, sizes, kMrpc);
  TrainingStep finetune("finetune", sizes, kMrpc);
  const Seconds seconds = measure(
      state, [&] { return step.run(); }, [&] { return finetune.run(); });
  state.counters["samples_per_s"] = static_cast<double>(step.rows()) / seconds.work;
  state.counters["cost_over_finetune"] = seconds.work / seconds.yardstick;
}

[[maybe_unused]] const bool registered = [] {
  for (const auto& entry : all_methods()) {
    for (const auto& sizes : {kRealStep, kSmallStep}) {
      benchmark::RegisterBenchmark(("training_step/" + entry.name + "/" + sizes.name).c_str(),
                                   training_step, entry.name, sizes)
          ->Unit(benchmark::kMillisecond)
          ->UseManualTime();
    }
  }
  return true;
}();

}  // namespace
}  // namespace kdbench::training_step_bench
