// SPDX-License-Identifier: MIT
// Drawing ids from a language model: steps of all places at once from their 24th token on, half of
// the way to texts of 64; beside the plain products of as many rows with the model's matrices.
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include <numeric>
#include <string>
#include <vector>

#include "methods/ops/token_draw.h"
#include "tests/bench/gpt2_model.h"
#include "tests/bench/measure.h"

namespace kdbench::sampling_bench {
namespace {

constexpr int64_t kFirst = 24, kSteps = 8;

struct Sizes {
  const char* name;
  Gpt2Sizes model;
};
constexpr Sizes kGpt2{"gpt2_12x768", {50257, 12, 768, 12}}, kTiny{"small", {300, 2, 32, 2}};

class Texts {
 public:
  Texts(const LanguageModel& model, int64_t rows)
      : decoder_(model.decoder(rows, kFirst + kSteps)), places_(rows), ids_(rows) {
    std::iota(places_.begin(), places_.end(), 0);
    std::iota(ids_.begin(), ids_.end(), 0);
  }

  // To where the measured steps begin.
  void begin() {
    for (const int64_t place : places_) decoder_->clear(place);
    for (int64_t step = 0; step < kFirst; ++step) go_on(step);
  }
  void steps() {
    for (int64_t step = kFirst; step < kFirst + kSteps; ++step) go_on(step);
  }

 private:
  void go_on(int64_t step) {
    const at::Tensor scores = decoder_->advance(places_, ids_);
    for (size_t row = 0; row < ids_.size(); ++row) {
      const double uniform =
          static_cast<double>((static_cast<int64_t>(row) * 7919 + step * 104729) % 10007) / 10007.0;
      ids_[row] =
          draw_token(scores.size(1),
                     scores.mutable_data_ptr<float>() + static_cast<int64_t>(row) * scores.size(1),
                     {}, uniform);
    }
  }

  std::unique_ptr<Decoder> decoder_;
  std::vector<int64_t> places_, ids_;
};

// The products of one step, by LibTorch.
class Products {
 public:
  Products(const LanguageModel& model, int64_t rows) : table_(model.parameters()["wte.weight"]) {
    for (const auto& segment : model.parameters().layout().segments()) {
      if (segment.name.starts_with("h.") && segment.shape.size() == 2)
        matrices_.push_back(model.parameters()[segment.name]);
    }
    for (const int64_t width : {table_.size(1), 4 * table_.size(1)})
      inputs_.push_back(at::randn({rows, width}));
  }
  void run() const {
    const at::NoGradGuard no_gradients;
    for (int64_t step = 0; step < kSteps; ++step) {
      for (const auto& matrix : matrices_) {
        const bool wide = matrix.size(0) == inputs_[1].size(1);
        benchmark::DoNotOptimize(at::mm(inputs_[wide ? 1 : 0], matrix));
      }
      benchmark::DoNotOptimize(at::mm(inputs_[0], table_.t()));
    }
  }

 private:
  at::Tensor table_;
  std::vector<at::Tensor> matrices_, inputs_;
};

void sampling(benchmark::State& state, const Sizes& sizes, int64_t rows) {
  const auto model = make_gpt2(sizes.model, at::kCPU);
  Texts texts(*model, rows);
  const Products products(*model, rows);
  const Seconds seconds = measure(
      state, [&] { texts.steps(); }, [&] { products.run(); }, [&] { texts.begin(); });
  const auto ranks = static_cast<double>(world().size());
  state.counters["ids_per_s"] = ranks * static_cast<double>(rows * kSteps) / seconds.work;
  state.counters["share_of_gemm"] = seconds.yardstick / seconds.work;
}

[[maybe_unused]] const bool registered = [] {
  const auto add = [](const Sizes& sizes, int64_t rows) {
    const std::string name =
        std::string("sampling/") + sizes.name + "/rows:" + std::to_string(rows);
    benchmark::RegisterBenchmark(name.c_str(), sampling, sizes, rows)
        ->Unit(benchmark::kMillisecond)
        ->UseManualTime();
  };
  for (const int64_t rows : {24, 64, 96}) add(kGpt2, rows);
  add(kTiny, 5);
  return true;
}();

}  // namespace
}  // namespace kdbench::sampling_bench
