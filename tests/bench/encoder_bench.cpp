// SPDX-License-Identifier: MIT
// The encoder at real sizes and row lengths: useful work a second, as a share of what at::mm
// reaches on the model's own matrix shapes with the same threads. Each rank computes a whole batch.
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "tests/bench/measure.h"
#include "tests/bench/workload.h"

namespace kdbench::encoder_bench {
namespace {

// A layer's four products x W^T over this number of tokens; with backward also dy W and
// dW += dy^T x.
class LayerGemms {
 public:
  LayerGemms(const Shape& shape, int64_t tokens, bool backward) : backward_(backward) {
    const int64_t hidden = shape.hidden, inner = shape.intermediate;
    const at::TensorOptions there(bench_device());
    for (const auto& [out, in] : {std::pair(3 * hidden, hidden), std::pair(hidden, hidden),
                                  std::pair(inner, hidden), std::pair(hidden, inner)}) {
      products_.push_back({at::rand({tokens, in}, there), at::rand({out, in}, there),
                           at::rand({tokens, out}, there), at::empty({tokens, in}, there),
                           at::zeros({out, in}, there)});
      flops_ += (backward ? 3.0 : 1.0) * 2.0 * static_cast<double>(tokens * out * in);
    }
  }

  void run() {
    for (auto& p : products_) {
      at::mm_out(p.y, p.x, p.weight.t());
      if (!backward_) continue;
      at::mm_out(p.dx, p.y, p.weight);
      p.dw.addmm_(p.y.t(), p.x);
    }
  }
  double flops() const { return flops_; }

 private:
  struct Product {
    at::Tensor x, weight, y, dx, dw;
  };
  bool backward_;
  double flops_ = 0.0;
  std::vector<Product> products_;
};

// A training step's passes with dropout, or the pass of evaluation and export.
void run_model(Model& model, const Batch& batch, bool backward, uint32_t step) {
  ForwardMode mode;
  if (!backward) {
    const at::NoGradGuard no_gradients;
    benchmark::DoNotOptimize(model.forward(batch, mode).logits);
    return;
  }
  mode.training = true;
  mode.key = {1, step};
  model.forward(batch, mode).logits.sum().backward();
}

void encoder(benchmark::State& state, const Shape& shape, const LengthMix& mix, bool backward) {
  const auto model = make_bench_model(shape);
  const Batch batch = make_batch(mix, shape).to(bench_device());
  const int64_t tokens = batch.ragged_field(field::kTokens).values.size(0);
  LayerGemms gemms(shape, tokens, backward);
  uint32_t step = 0;
  const Seconds seconds = measure(
      state, [&] { run_model(*model, batch, backward, step++); },
      [&] {
        for (int64_t layer = 0; layer < shape.layers; ++layer) gemms.run();
      });

  const auto ranks = static_cast<double>(world().size());
  const double flops = ranks * (backward ? 3.0 : 1.0) * forward_flops(*model, mix) / seconds.work;
  const double gemm_flops =
      ranks * static_cast<double>(shape.layers) * gemms.flops() / seconds.yardstick;
  state.counters["tokens_per_s"] = ranks * static_cast<double>(tokens) / seconds.work;
  state.counters["model_GFLOP/s"] = flops * 1e-9;
  state.counters["gemm_GFLOP/s"] = gemm_flops * 1e-9;
  state.counters["share_of_gemm"] = flops / gemm_flops;
}

[[maybe_unused]] const bool registered = [] {
  for (const auto* shape : {&kStudent3x384, &kMiniLm6x384, &kBertBase12x768, &kSmall}) {
    for (const auto* mix : {&kMrpc, &kSst2}) {
      for (const bool backward : {false, true}) {
        const std::string name =
            std::string(backward ? "encoder_forward_backward/" : "encoder_forward/") + shape->name +
            "/" + mix->name;
        benchmark::RegisterBenchmark(name.c_str(), encoder, *shape, *mix, backward)
            ->Unit(benchmark::kMillisecond)
            ->UseManualTime();
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace kdbench::encoder_bench
