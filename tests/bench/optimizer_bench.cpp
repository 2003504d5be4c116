// SPDX-License-Identifier: MIT
// An optimizer's step over all parameters of a model, beside passes over the same amount of memory
// with the same threads.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "suite/training/optimizer.h"
#include "tests/bench/measure.h"
#include "tests/bench/workload.h"

namespace kdbench::optimizer_bench {
namespace {

// What a step cannot do without: the norm reads the gradient; the update reads and writes value,
// gradient and both moments.
constexpr double kStepBytes = 9 * sizeof(float);

// Four buffers multiplied in place: each float is read and written once.
class MemoryPasses {
 public:
  explicit MemoryPasses(int64_t floats) {
    for (auto& buffer : buffers_) buffer = at::ones({floats}, at::TensorOptions(bench_device()));
  }
  void run() {
    for (auto& buffer : buffers_) buffer.mul_(1.0F);
  }
  double bytes() const {
    return static_cast<double>(2 * buffers_.size() * buffers_.front().nbytes());
  }

 private:
  std::array<at::Tensor, 4> buffers_;
};

void optimizer_step(benchmark::State& state, const std::string& kind, const Shape& shape) {
  const auto model = make_bench_model(shape);
  Parameters& parameters = model->parameters();
  OptimizerSettings settings;
  settings.kind = kind;
  settings.weight_decay = 0.01;
  settings.clip = 1.0;
  const auto optimizer = make_optimizer(settings, parameters);
  MemoryPasses memory(parameters.gradients().numel());
  const Seconds seconds = measure(
      state, [&] { optimizer->step(parameters, 1e-5); }, [&] { memory.run(); },
      [&] { parameters.gradients().fill_(1e-3F); });  // a step leaves zeros

  const auto ranks = static_cast<double>(world().size());
  const double rate =
      ranks * kStepBytes * static_cast<double>(parameters.gradients().numel()) / seconds.work;
  const double memory_rate = ranks * memory.bytes() / seconds.yardstick;
  state.counters["GB/s"] = rate * 1e-9;
  state.counters["memory_GB/s"] = memory_rate * 1e-9;
  state.counters["share_of_memory"] = rate / memory_rate;
}

// The tokens of step `step`: as many as a batch of 32 short sentences has, some of them in every
// step, some now and then, most of the vocabulary in none.
std::vector<int64_t> tokens_of(int64_t step, int64_t vocabulary) {
  constexpr int64_t kOften = 100, kOther = 300, kUsed = 6000;
  std::vector<int64_t> tokens;
  for (int64_t token = 0; token < kOften; ++token) tokens.push_back(token);
  const int64_t first = kOften + step * kOther % kUsed;
  for (int64_t token = first; token < first + kOther; ++token)
    if (token < vocabulary) tokens.push_back(token);
  return tokens;
}

// A step that moves only the rows of its tokens, beside one that moves the whole table.
void optimizer_step_of_batch(benchmark::State& state, const std::string& kind, const Shape& shape) {
  const auto model = make_bench_model(shape), whole = make_bench_model(shape);
  Parameters &parameters = model->parameters(), &dense = whole->parameters();
  OptimizerSettings settings;
  settings.kind = kind;
  settings.weight_decay = 0.01;
  settings.clip = 1.0;
  const auto of_batch = make_optimizer(settings, parameters),
             of_all = make_optimizer(settings, dense);
  int64_t step = 0;
  const int64_t vocabulary = model->config().vocabulary;
  const Seconds seconds = measure(
      state,
      [&] {
        const auto tokens = tokens_of(step++, vocabulary);
        of_batch->step(parameters, 1e-5, &tokens);
      },
      [&] { of_all->step(dense, 1e-5); }, [] {});
  state.counters["share_of_dense"] = seconds.work / seconds.yardstick;
}

[[maybe_unused]] const bool registered = [] {
  const auto add = [](const std::string& name, auto bench, const std::string& kind,
                      const Shape& shape) {
    benchmark::RegisterBenchmark((name + "/" + kind + "/" + shape.name).c_str(), bench, kind, shape)
        ->Unit(benchmark::kMillisecond)
        ->UseManualTime();
  };
  for (const auto& kind : known_optimizers()) {
    for (const auto* shape : {&kStudent3x384, &kMiniLm6x384, &kBertBase12x768, &kSmall}) {
      add("optimizer_step", optimizer_step, kind, *shape);
      add("optimizer_step_of_batch", optimizer_step_of_batch, kind, *shape);
    }
  }
  return true;
}();

}  // namespace
}  // namespace kdbench::optimizer_bench
