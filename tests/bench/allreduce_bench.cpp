// SPDX-License-Identifier: MIT
// The sum of a model's gradients over all ranks, as the trainer's collectives make it, beside a
// plain copy of the same bytes by each rank. Bandwidths as in nccl-tests: algbw = bytes / time;
// busbw = algbw 2 (n - 1) / n is what each rank's link carries, whatever the number of ranks.
#include <benchmark/benchmark.h>

#include <string>

#include "suite/machine/collective_speed.h"
#include "suite/ranks/collectives.h"
#include "tests/bench/measure.h"
#include "tests/bench/workload.h"

namespace kdbench::allreduce_bench {
namespace {

// Fixed, because on one rank nothing moves and no time passes.
constexpr int kPasses = 20;

void allreduce(benchmark::State& state, const Shape& shape) {
  const auto collectives = make_collectives(world(), bench_device());
  const at::Tensor gradients = make_bench_model(shape)->parameters().gradients();
  gradients.zero_();
  const at::Tensor copy = at::zeros_like(gradients);
  const size_t bytes = gradients.nbytes();
  const Seconds seconds = measure(
      state, [&] { collectives->allreduce_sum(gradients); }, [&] { copy.copy_(gradients); });

  const double gigabytes = static_cast<double>(bytes) * 1e-9;
  state.counters["MB"] = gigabytes * 1e3;
  state.counters["copy_GB/s"] = gigabytes / seconds.yardstick;
  if (world().size() == 1) {
    state.SetLabel("one rank: nothing moves");
    return;
  }
  state.counters["algbw_GB/s"] = gigabytes / seconds.work;
  state.counters["busbw_GB/s"] = gigabytes / seconds.work * bus_factor("allreduce", world().size());
  state.counters["share_of_copy"] = seconds.yardstick / seconds.work;
}

[[maybe_unused]] const bool registered = [] {
  for (const auto* shape : {&kStudent3x384, &kMiniLm6x384, &kBertBase12x768, &kSmall}) {
    benchmark::RegisterBenchmark((std::string("allreduce/") + shape->name).c_str(), allreduce,
                                 *shape)
        ->Unit(benchmark::kMillisecond)
        ->Iterations(kPasses)
        ->UseManualTime();
  }
  return true;
}();

}  // namespace
}  // namespace kdbench::allreduce_bench
