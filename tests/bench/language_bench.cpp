// SPDX-License-Identifier: MIT
// A batch of texts through a language model, forward and backward: useful FLOP/s, beside the plain
// products of as many tokens with the model's matrices.
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "tests/bench/gpt2_model.h"
#include "tests/bench/measure.h"

namespace kdbench::language_bench {
namespace {

struct Sizes {
  const char* name;
  Gpt2Sizes model;
  int64_t rows, length;  // ids of a row
};
// The model of suite/experiments/minilm-bilstm.toml on SST-2's rows and on MRPC's.
constexpr Sizes kShort{"gpt2_4x256/sst2", {30522, 4, 256, 4}, 48, 12};
constexpr Sizes kLong{"gpt2_4x256/mrpc", {30522, 4, 256, 4}, 48, 53};
constexpr Sizes kTiny{"small", {300, 2, 32, 2}, 5, 7};

Batch make_batch(const Sizes& sizes) {
  Batch batch;
  batch.global_rows = sizes.rows;
  batch.row_ids = at::arange(sizes.rows, at::kLong);
  batch.ragged[field::kTokens] = {
      at::randint(0, sizes.model.vocabulary, {sizes.rows * sizes.length}, at::kLong),
      at::arange(sizes.rows + 1, at::kLong) * sizes.length};
  return batch.to(bench_device());
}

// x W, dy W^T and x^T dy of every matrix.
class Products {
 public:
  Products(const LanguageModel& model, int64_t tokens) {
    for (const auto& segment : model.parameters().layout().segments()) {
      const bool position = segment.name == "wpe.weight";
      if (segment.shape.size() != 2 || position) continue;
      const at::Tensor weight = model.parameters()[segment.name].detach();
      const at::Tensor matrix = segment.name == "wte.weight" ? weight.t() : weight;
      const auto filled = [&](int64_t width) {
        return at::randn({tokens, width}, weight.options());
      };
      products_.push_back({filled(matrix.size(0)), matrix, filled(matrix.size(1)),
                           filled(matrix.size(0)), filled(matrix.size(1)), at::empty_like(weight)});
    }
  }
  void run() {
    for (auto& p : products_) {
      at::mm_out(p.y, p.x, p.weight);
      at::mm_out(p.dx, p.dy, p.weight.t());
      const bool turned = p.dweight.size(0) != p.weight.size(0);
      turned ? at::mm_out(p.dweight, p.dy.t(), p.x) : at::mm_out(p.dweight, p.x.t(), p.dy);
    }
  }

 private:
  struct Product {
    at::Tensor x, weight, dy, dx, y, dweight;
  };
  std::vector<Product> products_;
};

void forward_backward(benchmark::State& state, const Sizes& sizes) {
  const auto model = make_gpt2(sizes.model, bench_device());
  const Batch batch = make_batch(sizes);
  Products products(*model, sizes.rows * sizes.length);
  const Seconds seconds = measure(
      state, [&] { model->target_losses(batch, {}).mean().backward(); }, [&] { products.run(); });
  const auto ranks = static_cast<double>(world().size());
  const double flops = 3.0 * static_cast<double>(sizes.rows) * model->forward_flops(sizes.length);
  state.counters["useful_GFLOP_per_s"] = ranks * flops / seconds.work / 1e9;
  state.counters["share_of_gemm"] = seconds.yardstick / seconds.work;
  state.counters["tokens_per_s"] =
      ranks * static_cast<double>(sizes.rows * sizes.length) / seconds.work;
}

[[maybe_unused]] const bool registered = [] {
  for (const Sizes& sizes : {kShort, kLong, kTiny}) {
    benchmark::RegisterBenchmark((std::string("language_forward_backward/") + sizes.name).c_str(),
                                 forward_backward, sizes)
        ->Unit(benchmark::kMillisecond)
        ->UseManualTime();
  }
  return true;
}();

}  // namespace
}  // namespace kdbench::language_bench
