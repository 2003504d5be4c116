// SPDX-License-Identifier: MIT
// The fused AdamW step beside plain memory traffic of the same buffers in the same run: how near to
// the memory's speed.
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include "suite/training/adamw.h"

namespace kdbench {
namespace {

// One matrix and one bias: as many parameters as a model has.
Parameters make_parameters(int64_t count) {
  ParameterLayout layout;
  layout.add("dense.weight", {count - 768});
  layout.add("dense.bias", {768});
  layout.freeze();
  return Parameters(layout, at::kCPU);
}

// Bytes per float of a step: the norm reads g; the update reads and writes p, g, m, v.
constexpr int64_t kStepBytes = 9 * static_cast<int64_t>(sizeof(float));

void adamw_step(benchmark::State& state, AdamW::Path path) {
  Parameters parameters = make_parameters(state.range(0));
  parameters.values().fill_(0.5F);
  OptimizerSettings settings;
  settings.weight_decay = 0.01;
  settings.clip = 1.0;
  AdamW optimizer(settings, parameters, path);
  parameters.gradients().fill_(1e-3F);
  for (auto _ : state) optimizer.step(parameters, 1e-5);
  state.SetBytesProcessed(state.iterations() * state.range(0) * kStepBytes);
}

void AdamWFused(benchmark::State& state) { adamw_step(state, AdamW::Path::kFused); }
void AdamWTensorOps(benchmark::State& state) { adamw_step(state, AdamW::Path::kTensorOps); }

// The same nine streams without arithmetic to speak of.
void SameTraffic(benchmark::State& state) {
  Parameters parameters = make_parameters(state.range(0));
  const auto spans = cut_spans(parameters.layout());
  const at::Tensor buffers[4] = {parameters.values(), parameters.gradients(),
                                 at::zeros_like(parameters.values()),
                                 at::zeros_like(parameters.values())};
  for (auto _ : state) {
    benchmark::DoNotOptimize(flat_norm(buffers[1], spans));
    for_spans(spans, [&](const FlatSpan& span) {
      for (const auto& buffer : buffers) {
        float* const data = buffer.data_ptr<float>();
        for (int64_t i = span.begin; i < span.end; ++i) data[i] += 1.0F;
      }
    });
  }
  state.SetBytesProcessed(state.iterations() * state.range(0) * kStepBytes);
}

// Reads one buffer and writes another.
void Copy(benchmark::State& state) {
  const at::Tensor from = at::ones({state.range(0)}), to = at::ones({state.range(0)});
  for (auto _ : state) to.copy_(from);
  state.SetBytesProcessed(state.iterations() * state.range(0) * 2 *
                          static_cast<int64_t>(sizeof(float)));
}

// MiniLM with 6 layers, and BERT base.
#define KDBENCH_SIZES ->Arg(22700000)->Arg(109000000)->Unit(benchmark::kMillisecond)->UseRealTime()
BENCHMARK(AdamWFused) KDBENCH_SIZES;
BENCHMARK(SameTraffic) KDBENCH_SIZES;
BENCHMARK(Copy) KDBENCH_SIZES;
BENCHMARK(AdamWTensorOps)->Arg(22700000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace kdbench
