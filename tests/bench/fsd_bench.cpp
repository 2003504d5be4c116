// SPDX-License-Identifier: MIT
// What the structures of FSD cost over plain distillation of the same student and batch: time of a
// whole step, and memory (its peak while a run is set up and makes a few steps, teacher states of
// one batch included).
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <memory>
#include <string>

#include "suite/machine/provenance.h"
#include "tests/bench/measure.h"
#include "tests/bench/training_step.h"

namespace kdbench::fsd_bench {
namespace {

// A step whose memory was seen.
struct SeenStep {
  std::unique_ptr<TrainingStep> step;
  double bytes = 0.0;  // of this rank
};

SeenStep see(const std::string& method, const StepSizes& sizes,
             const std::map<std::string, OptionValue>& options) {
  malloc_trim(0);  // what others freed must not be taken again unseen
  reset_peak_memory();
  const int64_t before = peak_memory_bytes();
  SeenStep seen{std::make_unique<TrainingStep>(method, sizes, kMrpc, options)};
  seen.step->run();
  seen.bytes = static_cast<double>(peak_memory_bytes() - before);
  return seen;
}

void fsd_step(benchmark::State& state, const std::string& variant, const StepSizes& sizes) {
  see("kd", sizes, {});  // what libraries keep
  const SeenStep kd = see("kd", sizes, {}), fsd = see("fsd", sizes, {{"variant", variant}});
  const Seconds seconds = measure(
      state, [&] { return fsd.step->run(); }, [&] { return kd.step->run(); });
  state.counters["cost_over_kd"] = seconds.work / seconds.yardstick;
  state.counters["memory_MB"] = fsd.bytes * 1e-6;
  state.counters["over_kd_MB"] = (fsd.bytes - kd.bytes) * 1e-6;
}

[[maybe_unused]] const bool registered = [] {
  for (const char* variant : {"I", "L", "G", "ILG"}) {
    for (const auto& sizes : {kRealStep, kSmallStep}) {
      benchmark::RegisterBenchmark(("fsd_step/" + std::string(variant) + "/" + sizes.name).c_str(),
                                   fsd_step, variant, sizes)
          ->Unit(benchmark::kMillisecond)
          ->UseManualTime();
    }
  }
  return true;
}();

}  // namespace
}  // namespace kdbench::fsd_bench
