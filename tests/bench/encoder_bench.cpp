// SPDX-License-Identifier: MIT
// The MiniLM encoder (6 layers, 384 wide), one thread, dropout on: useful work a second, and its
// share of what at::mm reaches on the same shapes in the same run. All in CPU time, which other
// processes disturb less. Counters: tokens/s, model_GFLOP/s (Model::forward_flops; backward counts
// twice) and share.
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <algorithm>
#include <ctime>
#include <vector>

#include "methods/model.h"

namespace kdbench {
namespace {

constexpr int64_t kLayers = 6, kHidden = 384, kIntermediate = 1536, kRows = 16;

// 16 row lengths that spread evenly over [shortest, longest], in a mixed order.
Batch make_batch(int64_t shortest, int64_t longest) {
  std::vector<int64_t> offsets = {0}, ids;
  for (int64_t r = 0; r < kRows; ++r) {
    const int64_t spread = (r * 7) % kRows;
    offsets.push_back(offsets.back() + shortest + spread * (longest - shortest) / (kRows - 1));
    ids.push_back(r);
  }
  const int64_t tokens = offsets.back();
  Batch batch;
  batch.global_rows = kRows;
  batch.row_ids = at::tensor(ids, at::kLong);
  batch.ragged[field::kTokens] = {(at::arange(tokens, at::kLong) * 7919).remainder(30522),
                                  at::tensor(offsets, at::kLong)};
  batch.dense[field::kFirstSegment] = at::full({kRows}, shortest / 2, at::kLong);
  return batch;
}

std::unique_ptr<Model> make_encoder() {
  ModelSpec spec;
  spec.config.vocabulary = 30522;
  spec.config.layers = kLayers;
  spec.config.hidden = kHidden;
  spec.config.heads = 12;
  spec.config.intermediate = kIntermediate;
  auto model = make_model(spec);
  initialize_parameters(*model, 1);
  return model;
}

// FLOP/s of a layer's four products x W^T at this number of tokens; with backward also dy W and dW
// += dy^T x.
double gemm_rate(int64_t tokens, bool backward) {
  double flops = 0.0, seconds = 0.0;
  for (const auto& [out, in] :
       {std::pair(3 * kHidden, kHidden), std::pair(kHidden, kHidden),
        std::pair(kIntermediate, kHidden), std::pair(kHidden, kIntermediate)}) {
    const at::Tensor x = at::rand({tokens, in}), weight = at::rand({out, in}),
                     dy = at::rand({tokens, out});
    at::Tensor y = at::empty({tokens, out}), dx = at::empty({tokens, in}),
               dw = at::zeros({out, in});
    const auto once = [&] {
      at::mm_out(y, x, weight.t());
      if (!backward) return;
      at::mm_out(dx, dy, weight);
      dw.addmm_(dy.t(), x);
    };
    once();
    constexpr int kRepeats = 8;
    const std::clock_t start = std::clock();
    for (int i = 0; i < kRepeats; ++i) once();
    seconds += static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    flops += kRepeats * (backward ? 3.0 : 1.0) * 2.0 * static_cast<double>(tokens * out * in);
  }
  return flops / seconds;
}

void encoder(benchmark::State& state, bool backward) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto model = make_encoder();
  const Batch batch = make_batch(state.range(0), state.range(1));
  const at::Tensor& offsets = batch.ragged_field(field::kTokens).offsets;
  const int64_t tokens = offsets[-1].item<int64_t>();
  ForwardMode mode;
  mode.training = true;
  uint32_t step = 0;
  const auto run = [&] {
    mode.key = {1, step++};
    if (backward) {
      model->forward(batch, mode).logits.sum().backward();
    } else {
      const at::NoGradGuard no_gradients;
      benchmark::DoNotOptimize(model->forward(batch, mode).logits.const_data_ptr<float>());
    }
  };
  run();
  double gemm = gemm_rate(tokens, backward);
  for (auto _ : state) run();
  gemm = std::max(gemm, gemm_rate(tokens, backward));

  double flops = 0.0;
  for (int64_t r = 0; r < kRows; ++r) {
    flops += model->forward_flops((offsets[r + 1] - offsets[r]).item<int64_t>());
  }
  if (backward) flops *= 3.0;
  const auto runs = static_cast<double>(state.iterations());
  using benchmark::Counter;
  state.counters["tokens/s"] = Counter(runs * static_cast<double>(tokens), Counter::kIsRate);
  state.counters["model_GFLOP/s"] = Counter(runs * flops * 1e-9, Counter::kIsRate);
  state.counters["gemm_GFLOP/s"] = gemm * 1e-9;
  state.counters["share_of_gemm"] = Counter(runs * flops / gemm, Counter::kIsRate);
  at::set_num_threads(threads);
}

void encoder_forward(benchmark::State& state) { encoder(state, false); }
void encoder_forward_backward(benchmark::State& state) { encoder(state, true); }

// Lengths like MRPC's and like SST-2's.
void lengths(benchmark::internal::Benchmark* b) {
  b->ArgNames({"shortest", "longest"})
      ->Args({30, 80})
      ->Args({5, 30})
      ->Unit(benchmark::kMillisecond);
}
BENCHMARK(encoder_forward)->Apply(lengths);
BENCHMARK(encoder_forward_backward)->Apply(lengths);

}  // namespace
}  // namespace kdbench
