// SPDX-License-Identifier: MIT
// How everything here is timed: wall time of the slowest rank, and, in turn with the measured work,
// a yardstick: the same machine doing the plainest thing of that kind (a GEMM, a memory pass, a raw
// file). Noise of the machine then meets both, and their ratio is steadier than either.
//
// All ranks get the same time, and with manual times Google Benchmark chooses the number of
// iterations from them alone: so all ranks run as many, and collective work cannot hang.
#pragma once

#include <ATen/core/Tensor.h>
#include <benchmark/benchmark.h>

#include <chrono>
#include <type_traits>

#include "suite/machine/device.h"
#include "suite/ranks/control.h"

namespace kdbench {

// The ranks of this program, and the device that they compute on. main sets them before any
// benchmark runs.
const Control& world();
at::Device bench_device();
void set_world(const Control& control, at::Device device);

// Seconds of `f` on the slowest rank; the ranks begin together. An `f` that times itself returns
// its seconds. Collective.
template <typename F>
double slowest_seconds(F&& f) {
  synchronize(bench_device());
  world().barrier();
  if constexpr (std::is_same_v<std::invoke_result_t<F>, double>) {
    return world().max(f());
  } else {
    const auto start = std::chrono::steady_clock::now();
    f();
    synchronize(bench_device());
    const std::chrono::duration<double> own = std::chrono::steady_clock::now() - start;
    return world().max(own.count());
  }
}

// Mean seconds of one pass.
struct Seconds {
  double work = 0.0, yardstick = 0.0;
};

inline constexpr auto kNothing = [] {};

// The loop of a benchmark registered with UseManualTime. `before` prepares each pass of the work
// and is not timed. Collective.
template <typename Work, typename Yardstick = decltype(kNothing)&,
          typename Before = decltype(kNothing)&>
Seconds measure(benchmark::State& state, Work&& work, Yardstick&& yardstick = kNothing,
                Before&& before = kNothing) {
  yardstick();  // warm up
  before();
  work();
  Seconds sum;
  for ([[maybe_unused]] auto _ : state) {
    state.PauseTiming();  // of the CPU time, which is the work's too
    sum.yardstick += slowest_seconds(yardstick);
    before();
    state.ResumeTiming();
    const double seconds = slowest_seconds(work);
    state.SetIterationTime(seconds);
    sum.work += seconds;
  }
  const auto passes = static_cast<double>(state.iterations());
  return {sum.work / passes, sum.yardstick / passes};
}

}  // namespace kdbench
