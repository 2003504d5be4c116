// SPDX-License-Identifier: MIT
// The BiLSTM layer, and a whole step of a BiLSTM student, at the lengths of SST-2's sentences in
// words; beside what a program on LibTorch's own operations does: at::lstm on packed sequences, and
// AdaDelta over every word's row.
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "methods/losses.h"
#include "methods/models/bilstm.h"
#include "methods/models/registry.h"
#include "methods/ops/lstm.h"
#include "suite/training/optimizer.h"
#include "tests/bench/measure.h"

namespace kdbench::lstm_bench {
namespace {

// The quantiles (i + 1/2) / 50 of the training rows' words: a batch of d-bert's.
constexpr std::array<int64_t, 50> kWords{
    1, 1, 1, 2, 2, 2, 2,  2,  2,  3,  3,  3,  3,  3,  4,  4,  4,  4,  5,  5,  5,  6,  6,  6,  7,
    7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 13, 13, 14, 15, 16, 17, 18, 19, 20, 22, 24, 26, 29, 35};

struct Sizes {
  const char* name;
  int64_t vocabulary, embedding, hidden, fc;
};
constexpr Sizes kReal{"bilstm_150", 20000, 300, 150, 200}, kTiny{"small", 1000, 32, 16, 16};

ModelConfig config_of(const Sizes& sizes) {
  ModelConfig config = find_architecture("bilstm").defaults;
  config.vocabulary = sizes.vocabulary;
  config.embedding = sizes.embedding;
  config.hidden = sizes.hidden;
  config.fc = sizes.fc;
  config.set_dropout(0.0);
  config.labels = {"0", "1"};
  return config;
}

std::unique_ptr<Model> make_student(const Sizes& sizes) {
  ModelSpec spec;
  spec.config = config_of(sizes);
  spec.device = bench_device();
  auto model = make_model(spec);
  initialize_parameters(*model, 1);
  return model;
}

// Rows in a mixed order: 7 and 50 have no common divisor.
Batch make_batch(const Sizes& sizes) {
  std::vector<int64_t> offsets{0};
  for (size_t row = 0; row < kWords.size(); ++row)
    offsets.push_back(offsets.back() + kWords[row * 7 % kWords.size()]);
  const auto rows = static_cast<int64_t>(kWords.size());
  Batch batch;
  batch.global_rows = rows;
  batch.row_ids = at::arange(rows, at::kLong);
  batch.labels = batch.row_ids.remainder(2);
  batch.ragged[field::kTokens] = {at::randint(0, sizes.vocabulary, {offsets.back()}, at::kLong),
                                  at::tensor(offsets, at::kLong)};
  batch.dense[field::kFirstSegment] = batch.ragged[field::kTokens].offsets.diff();
  batch.dense[field::kTeacherLogits] = at::randn({rows, 2});
  return batch.to(bench_device());
}

// A model's parameters and a batch, used as a program on LibTorch's operations would.
class Plain {
 public:
  Plain(Model& model, const Batch& batch)
      : parameters_(model.parameters()),
        batch_(batch),
        rows_(batch.ragged_field(field::kTokens).offsets, bench_device()) {
    std::vector<int64_t> sizes;
    for (const auto& step : rows_.steps()) sizes.push_back(step.rows);
    batch_sizes_ = at::tensor(sizes, at::kLong);
    for (const char* end : {"", "_reverse"}) {
      for (const char* kind : {"weight_ih", "weight_hh", "bias_ih", "bias_hh"}) {
        const at::Tensor value =
            parameters_[std::string("lstm.") + kind + "_l0" + end].detach().clone();
        weights_.push_back(value.set_requires_grad(true));
      }
    }
    for (const char* name : {"embedding.weight", "hidden.weight", "hidden.bias",
                             "classifier.weight", "classifier.bias"}) {
      others_.push_back(parameters_[name].detach().clone().set_requires_grad(true));
    }
    zero_ = at::zeros({2, rows_.rows(), parameters_[kHidden].size(1)}, others_[0].options());
    for (const auto* list : {&weights_, &others_}) {
      for (const auto& leaf : *list) {
        squares_.push_back(at::zeros_like(leaf));
        moves_.push_back(at::zeros_like(leaf));
      }
    }
  }

  const StepRows& rows() const { return rows_; }
  at::Tensor words() const {
    return at::embedding(others_[0],
                         batch_.ragged_field(field::kTokens).values.index_select(0, rows_.order()));
  }
  // States of all tokens, last states of all rows.
  std::pair<at::Tensor, at::Tensor> layer(const at::Tensor& x) const {
    auto [states, last, cells] = at::lstm(x, batch_sizes_, {zero_, zero_}, weights_, true, 1, 0.0,
                                          true, /*bidirectional=*/true);
    return {states, last};
  }

  void layer_pass(const at::Tensor& x) const { layer(x).first.sum().backward(); }

  void step() {
    for (auto* list : {&weights_, &others_}) {
      for (auto& leaf : *list) leaf.mutable_grad() = at::Tensor();  // zero_grad's default
    }
    const at::Tensor last = layer(words()).second;
    const at::Tensor kept = at::cat({last[0], last[1]}, 1).index_select(0, rows_.first());
    const at::Tensor inner = at::linear(kept, others_[1], others_[2]).relu();
    const at::Tensor logits = at::linear(inner, others_[3], others_[4]);
    at::mse_loss(logits, batch_.dense_field(field::kTeacherLogits)).backward();
    const at::NoGradGuard no_gradients;
    size_t i = 0;
    for (auto* list : {&weights_, &others_}) {
      for (auto& leaf : *list) adadelta(leaf, squares_[i], moves_[i]), ++i;
    }
  }

 private:
  static constexpr const char* kHidden = "lstm.weight_hh_l0";

  static void adadelta(at::Tensor& value, at::Tensor& squares, at::Tensor& moves) {
    const at::Tensor& gradient = value.grad();
    squares.mul_(0.95).addcmul_(gradient, gradient, 0.05);
    const at::Tensor deviation = squares.add(1e-6).sqrt_();
    const at::Tensor move = moves.add(1e-6).sqrt_().div_(deviation).mul_(gradient);
    moves.mul_(0.95).addcmul_(move, move, 0.05);
    value.add_(move, -1.0);
  }

  const Parameters& parameters_;
  const Batch& batch_;
  StepRows rows_;
  at::Tensor batch_sizes_, zero_;
  std::vector<at::Tensor> weights_, others_, squares_, moves_;
};

void report(benchmark::State& state, const Seconds& seconds) {
  const auto ranks = static_cast<double>(world().size());
  state.counters["samples_per_s"] = ranks * static_cast<double>(kWords.size()) / seconds.work;
  state.counters["speed_over_libtorch"] = seconds.yardstick / seconds.work;
}

void lstm_layer(benchmark::State& state, const Sizes& sizes) {
  const auto model = make_student(sizes);
  const Batch batch = make_batch(sizes);
  const Plain plain(*model, batch);
  const Parameters& p = model->parameters();
  const LstmParameters weights{p.stacked("lstm.weight_ih_l0"), p.stacked("lstm.weight_hh_l0"),
                               p.stacked("lstm.bias_ih_l0"), p.stacked("lstm.bias_hh_l0")};
  const at::Tensor x = plain.words().detach().requires_grad_(true);
  report(state, measure(
                    state, [&] { lstm(x, plain.rows(), weights).sum().backward(); },
                    [&] { plain.layer_pass(x); }));
}

// Forward, loss, backward and the optimizer's step, without the trainer around them.
void bilstm_step(benchmark::State& state, const Sizes& sizes) {
  const auto model = make_student(sizes);
  const Batch batch = make_batch(sizes);
  Plain plain(*model, batch);
  OptimizerSettings settings;
  settings.kind = "adadelta";
  const auto optimizer = make_optimizer(settings, model->parameters());
  const at::Tensor ids =
      std::get<0>(at::_unique(batch.ragged_field(field::kTokens).values.cpu(), /*sorted=*/true));
  const std::vector<int64_t> tokens(ids.const_data_ptr<int64_t>(),
                                    ids.const_data_ptr<int64_t>() + ids.numel());
  ForwardMode mode;
  mode.training = true;
  report(state, measure(
                    state,
                    [&] {
                      optimizer->settle(model->parameters(), tokens);
                      mean_logit_error(model->forward(batch, mode).logits,
                                       batch.dense_field(field::kTeacherLogits), batch.rows())
                          .backward();
                      optimizer->step(model->parameters(), 1.0, &tokens);
                    },
                    [&] { plain.step(); }));
}

[[maybe_unused]] const bool registered = [] {
  for (const auto* sizes : {&kReal, &kTiny}) {
    const std::string name = std::string("/") + sizes->name;
    benchmark::RegisterBenchmark(("lstm_layer" + name).c_str(), lstm_layer, *sizes)
        ->Unit(benchmark::kMillisecond)
        ->UseManualTime();
    benchmark::RegisterBenchmark(("bilstm_step" + name).c_str(), bilstm_step, *sizes)
        ->Unit(benchmark::kMillisecond)
        ->UseManualTime();
  }
  return true;
}();

}  // namespace
}  // namespace kdbench::lstm_bench
