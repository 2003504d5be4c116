// SPDX-License-Identifier: MIT
// Optimizers against the reference traces on a quadratic, and AdamW's fused path against tensor
// operations.
#include "suite/training/optimizer.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/base/error.h"
#include "methods/models/registry.h"
#include "suite/training/adamw.h"
#include "tests/support/test_data.h"

namespace kdbench::optimizer_test {
namespace {

using Json = nlohmann::json;
using Vector = std::vector<double>;

// A (x - c): the gradient of 1/2 (x - c)^T A (x - c).
Vector gradient_of(const Json& tensor, const Vector& x) {
  const std::vector<Vector> a = tensor["A"];
  const Vector c = tensor["c"];
  Vector gradient(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t j = 0; j < x.size(); ++j) gradient[i] += a[i][j] * (x[j] - c[j]);
  }
  return gradient;
}

struct Fixture {
  Json tensors;
  std::vector<Json> traces;  // of one optimizer
};

Fixture read_fixture(const std::string& optimizer) {
  Fixture fixture;
  std::ifstream file(testing::test_data("optimizers.jsonl"));
  for (std::string line; std::getline(file, line);) {
    const Json record = Json::parse(line);
    if (record["type"] == "problem") fixture.tensors = record["tensors"];
    if (record["type"] == "trace" && record["optimizer"] == optimizer)
      fixture.traces.push_back(record);
  }
  return fixture;
}

OptimizerSettings settings_of(const Json& trace) {
  OptimizerSettings settings;
  settings.weight_decay = trace["settings"]["weight_decay"];
  settings.clip = trace["settings"]["clip"];
  settings.rho = trace["settings"].value("rho", settings.rho);
  return settings;
}

Parameters quadratic_parameters(const Json& tensors) {
  ParameterLayout layout(find_architecture("bert").decays);
  for (const auto& [name, tensor] : tensors.items()) layout.add(name, tensor["shape"]);
  layout.freeze();
  Parameters parameters(layout, at::kCPU);
  at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : tensors.items()) {
    const at::Tensor start = at::tensor(tensor["start"].get<Vector>(), at::kDouble);
    parameters[name].copy_(start.view(tensor["shape"].get<std::vector<int64_t>>()));
  }
  return parameters;
}

Vector values_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kDouble).flatten().contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

void follow_trace(const Json& tensors, const Json& trace, Parameters& parameters,
                  Optimizer& optimizer) {
  for (const Json& step : trace["steps"]) {
    for (const auto& [name, tensor] : tensors.items()) {
      const Vector gradient = gradient_of(tensor, values_of(parameters[name]));
      at::Tensor grad = parameters[name].grad();
      grad.copy_(at::tensor(gradient, at::kDouble).view(grad.sizes()));
    }
    const double norm = optimizer.step(parameters, step["learning_rate"]);
    EXPECT_NEAR(norm, step["grad_norm"].get<double>(), 1e-5 * norm)
        << trace["name"] << step["step"];
    EXPECT_EQ(parameters.gradients().abs().sum().item<float>(), 0.0F);
    for (const auto& [name, _] : tensors.items()) {
      const Vector values = values_of(parameters[name]), expected = step[name];
      for (size_t i = 0; i < values.size(); ++i) {
        // The values start near 4 and some cross 0: half a last place of 4 stays in them.
        EXPECT_NEAR(values[i], expected[i], 1e-5 * std::abs(expected[i]) + 2.5e-7)
            << trace["name"] << " step " << step["step"] << " " << name << " " << i;
      }
    }
  }
}

TEST(AdamW, AllPathsFollowTheTracesInSinglePrecision) {
  const Fixture fixture = read_fixture("adamw");
  ASSERT_EQ(fixture.traces.size(), 3U);
  for (const Json& trace : fixture.traces) {
    for (const auto path :
         {AdamW::Path::kFused, AdamW::Path::kMultiTensor, AdamW::Path::kTensorOps}) {
      Parameters parameters = quadratic_parameters(fixture.tensors);
      AdamW optimizer(settings_of(trace), parameters, path);
      follow_trace(fixture.tensors, trace, parameters, optimizer);
    }
  }
}

TEST(BertAdam, FollowsTheTracesInSinglePrecision) {
  const Fixture fixture = read_fixture("bert_adam");
  ASSERT_EQ(fixture.traces.size(), 2U);
  for (const Json& trace : fixture.traces) {
    Parameters parameters = quadratic_parameters(fixture.tensors);
    OptimizerSettings settings = settings_of(trace);
    settings.kind = "bert_adam";
    follow_trace(fixture.tensors, trace, parameters, *make_optimizer(settings, parameters));
  }
}

TEST(AdaDelta, FollowsTheTracesInSinglePrecision) {
  const Fixture fixture = read_fixture("adadelta");
  ASSERT_EQ(fixture.traces.size(), 2U);
  for (const Json& trace : fixture.traces) {
    Parameters parameters = quadratic_parameters(fixture.tensors);
    OptimizerSettings settings = settings_of(trace);
    settings.kind = "adadelta";
    follow_trace(fixture.tensors, trace, parameters, *make_optimizer(settings, parameters));
  }
}

// Several spans of both kinds, with alignment gaps.
ParameterLayout large_layout() {
  ParameterLayout layout(find_architecture("bert").decays);
  layout.add("embedding.weight", {1001, 77});
  layout.add("LayerNorm.weight", {77});
  layout.add("dense.weight", {33, 77});
  layout.add("dense.bias", {33});
  layout.freeze();
  return layout;
}

// Values and gradients that differ from place to place, gaps left 0.
void fill(Parameters& parameters, int step) {
  at::NoGradGuard no_grad;
  for (const auto& segment : parameters.layout().segments()) {
    const at::Tensor wave =
        at::arange(segment.size, at::kFloat).mul(0.37F).add(step).sin().view(segment.shape);
    if (step == 0) parameters[segment.name].copy_(wave);
    parameters[segment.name].grad().copy_(wave.mul(3.0F).add(0.1F));
  }
}

OptimizerSettings large_settings() {
  OptimizerSettings settings;
  settings.weight_decay = 0.1;
  settings.clip = 1.0;
  return settings;
}

// The values after three steps.
at::Tensor three_steps(AdamW::Path path, std::vector<double>* norms) {
  Parameters parameters(large_layout(), at::kCPU);
  AdamW optimizer(large_settings(), parameters, path);
  for (int step = 0; step < 3; ++step) {
    fill(parameters, step);
    norms->push_back(optimizer.step(parameters, 0.01));
  }
  return parameters.values();
}

TEST(AdamW, AllPathsAreEqual) {
  std::vector<double> fused_norms, other_norms;
  const at::Tensor fused = three_steps(AdamW::Path::kFused, &fused_norms);
  for (const auto path : {AdamW::Path::kMultiTensor, AdamW::Path::kTensorOps}) {
    const at::Tensor other = three_steps(path, &other_norms);
    EXPECT_TRUE(at::allclose(fused, other, 1e-5, 1e-7)) << (fused - other).abs().max();
  }
  for (size_t i = 0; i < other_norms.size(); ++i)
    EXPECT_NEAR(fused_norms[i % 3], other_norms[i], 1e-6 * other_norms[i]);
}

TEST(AdamW, TheNumberOfThreadsDoesNotChangeABit) {
  const int threads = at::get_num_threads();
  std::vector<double> norms;
  at::set_num_threads(1);
  const at::Tensor alone = three_steps(AdamW::Path::kFused, &norms);
  at::set_num_threads(3);
  const at::Tensor together = three_steps(AdamW::Path::kFused, &norms);
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(alone, together));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(norms[i], norms[i + 3]);
}

TEST(AdamW, DecaySparesBiasesAndLayerNorms) {
  Parameters parameters(large_layout(), at::kCPU);
  parameters.values().fill_(1.0F);
  OptimizerSettings settings;
  settings.weight_decay = 0.5;
  const double norm =
      make_optimizer(settings, parameters)->step(parameters, 0.1);  // gradients are 0
  EXPECT_EQ(norm, 0.0);
  EXPECT_TRUE(parameters["embedding.weight"].detach().eq(0.95F).all().item<bool>());
  EXPECT_TRUE(parameters["dense.weight"].detach().eq(0.95F).all().item<bool>());
  EXPECT_TRUE(parameters["LayerNorm.weight"].detach().eq(1.0F).all().item<bool>());
  EXPECT_TRUE(parameters["dense.bias"].detach().eq(1.0F).all().item<bool>());
}

// A table of tokens between others.
ParameterLayout table_layout() {
  ParameterLayout layout(find_architecture("bert").decays);
  layout.add("dense.weight", {33, 77});
  layout.add_token_table("words.weight", {101, 77});
  layout.add("dense.bias", {33});
  layout.freeze();
  return layout;
}

// The tokens of a step: 90 and more are never read, some only now and then.
std::vector<int64_t> tokens_of(int step) {
  std::vector<int64_t> tokens;
  for (int64_t token = 0; token < 90; ++token) {
    if (step % (1 + token % 17) == 0) tokens.push_back(token);
  }
  return tokens;
}

void fill_touched(Parameters& parameters, const std::vector<int64_t>& tokens, int step) {
  fill(parameters, step + 1);
  at::NoGradGuard no_grad;
  at::Tensor rows = parameters["words.weight"].grad();
  const at::Tensor index = at::tensor(tokens, at::kLong);
  const at::Tensor kept = rows.index_select(0, index);
  rows.zero_();
  rows.index_copy_(0, index, kept);
}

// What is read is bit for bit what an optimizer of the whole table gives, at every step and in the
// end, also where whole steps come between.
TEST(Optimizer, RowsThatWaitEndWhereTheOthersAre) {
  std::vector<OptimizerSettings> all;
  for (const auto& kind : known_optimizers()) {
    all.push_back(large_settings());
    all.back().kind = kind;
  }
  all.push_back(all.back());  // what waits fades alone
  all.back().kind = "adadelta";
  all.back().weight_decay = 0.0;
  for (const auto& settings : all) {
    const std::string& kind = settings.kind;
    Parameters whole(table_layout(), at::kCPU), late(table_layout(), at::kCPU);
    fill(whole, 0);
    fill(late, 0);
    const auto of_whole = make_optimizer(settings, whole), of_late = make_optimizer(settings, late);
    for (int step = 0; step < 57; ++step) {
      const auto tokens = tokens_of(step);
      const at::Tensor index = at::tensor(tokens, at::kLong);
      of_late->settle(late, tokens);
      EXPECT_TRUE(at::equal(late["words.weight"].detach().index_select(0, index),
                            whole["words.weight"].detach().index_select(0, index)))
          << kind << " step " << step;
      fill_touched(whole, tokens, step);
      fill_touched(late, tokens, step);
      const double rate = 0.01 / (1 + step);
      const double norm = of_whole->step(whole, rate);
      const double same =
          step % 20 == 19 ? of_late->step(late, rate) : of_late->step(late, rate, &tokens);
      EXPECT_NEAR(same, norm, 1e-12 * norm);
      if (step % 25 == 24) of_late->settle(late);
      EXPECT_EQ(late.gradients().abs().sum().item<float>(), 0.0F);
    }
    // Without decay what waits does not move: its averages alone are behind.
    EXPECT_EQ(at::equal(late.values(), whole.values()), settings.weight_decay == 0.0) << kind;
    of_late->settle(late);
    EXPECT_TRUE(at::equal(late.values(), whole.values()))
        << kind << " " << (late.values() - whole.values()).abs().max();
  }
}

// Optimizers of `ranks` ranks, each with the same gradients, as if they had been summed.
struct RanksTogether {
  RanksTogether(const std::string& kind, int64_t ranks) {
    OptimizerSettings settings = large_settings();
    settings.kind = kind;
    for (int64_t rank = 0; rank < ranks; ++rank) {
      values.emplace_back(table_layout(), at::kCPU);
      fill(values.back(), 0);
      optimizers.push_back(make_optimizer(settings, values.back(), {rank, ranks}));
    }
  }

  std::vector<double> step(const std::vector<int64_t>& tokens, int step) {
    std::vector<double> sums;
    for (size_t rank = 0; rank < values.size(); ++rank) {
      optimizers[rank]->settle(values[rank], tokens);
      fill_touched(values[rank], tokens, step);
      keep_own_gradients(rank);
      const at::Tensor squares = optimizers[rank]->squares(values[rank], &tokens);
      sums.resize(static_cast<size_t>(squares.numel()), 0.0);
      for (size_t i = 0; i < sums.size(); ++i)
        sums[i] += squares[static_cast<int64_t>(i)].item<double>();
    }
    for (size_t rank = 0; rank < values.size(); ++rank)
      optimizers[rank]->apply(values[rank], 0.01, sums, 1.0, &tokens);
    share();
    return sums;
  }

  void keep_own_gradients(size_t rank) {
    for_other_parts(rank, [&](const FlatRange& part, size_t) {
      values[rank].gradients().narrow(0, part.begin, part.size()).zero_();
    });
  }
  void share() {
    for (size_t rank = 0; rank < values.size(); ++rank) {
      for_other_parts(rank, [&](const FlatRange& part, size_t owner) {
        values[rank]
            .values()
            .narrow(0, part.begin, part.size())
            .copy_(values[owner].values().narrow(0, part.begin, part.size()));
      });
    }
  }
  template <typename F>
  void for_other_parts(size_t rank, const F& f) {
    const at::NoGradGuard no_grad;
    for (const auto& bucket : gradient_buckets(table_layout(), at::kCPU)) {
      const auto parts = split_range(bucket, static_cast<int64_t>(values.size()));
      for (size_t owner = 0; owner < parts.size(); ++owner)
        if (owner != rank) f(parts[owner], owner);
    }
  }

  std::vector<Parameters> values;
  std::vector<std::unique_ptr<Optimizer>> optimizers;
};

TEST(Optimizer, RanksThatShareTheWorkDoWhatOneDoes) {
  for (const auto& kind : known_optimizers()) {
    for (const int64_t ranks : {2, 3, 5}) {
      RanksTogether together(kind, ranks);
      RanksTogether one(kind, 1);
      for (int step = 0; step < 4; ++step) {
        const auto sums = together.step(tokens_of(step), step),
                   whole = one.step(tokens_of(step), step);
        ASSERT_EQ(sums.size(), whole.size());
        for (size_t i = 0; i < sums.size(); ++i) EXPECT_NEAR(sums[i], whole[i], 1e-12 * whole[i]);
      }
      one.optimizers[0]->settle(one.values[0]);
      for (int64_t rank = 0; rank < ranks; ++rank) {
        together.optimizers[rank]->settle(together.values[rank]);
        EXPECT_TRUE(
            at::allclose(together.values[rank].values(), one.values[0].values(), 1e-6, 1e-7))
            << kind << " rank " << rank << " of " << ranks;
        EXPECT_TRUE(at::equal(together.values[rank].values(), together.values[0].values()));
      }
    }
  }
}

TEST(Optimizer, ScaledGradientsMoveAsTheirOwn) {
  for (const auto& kind : known_optimizers()) {
    OptimizerSettings settings = large_settings();
    settings.kind = kind;
    Parameters plain(table_layout(), at::kCPU), scaled(table_layout(), at::kCPU);
    const auto of_plain = make_optimizer(settings, plain),
               of_scaled = make_optimizer(settings, scaled);
    for (int step = 0; step < 3; ++step) {
      fill(plain, step);
      fill(scaled, step);
      of_plain->step(plain, 0.01);
      scaled.gradients().mul_(1024.0F);
      const at::Tensor squares = of_scaled->squares(scaled, nullptr);
      const double* const data = squares.const_data_ptr<double>();
      of_scaled->apply(scaled, 0.01, {data, data + squares.numel()}, 1024.0, nullptr);
    }
    EXPECT_TRUE(at::allclose(plain.values(), scaled.values(), 1e-6, 1e-8)) << kind;
  }
}

// A graph built before the step must not be used after it.
TEST(AdamW, AutogradNoticesTheStep) {
  Parameters parameters(large_layout(), at::kCPU);
  const at::Tensor& weight = parameters["dense.weight"];
  const at::Tensor loss = (weight * weight).sum();
  make_optimizer({}, parameters)->step(parameters, 0.1);
  EXPECT_THROW(loss.backward(), c10::Error);
}

TEST(FlatBuffer, SpansCoverTheBufferOnce) {
  const ParameterLayout layout = large_layout();
  const auto spans = cut_spans(layout, {{0, layout.buffer_size()}});
  int64_t end = 0;
  for (const auto& span : spans) {
    EXPECT_EQ(span.begin, end);
    EXPECT_LT(span.begin, span.end);
    end = span.end;
  }
  EXPECT_EQ(end, layout.buffer_size());
  EXPECT_FALSE(spans.front().decay);
  EXPECT_TRUE(spans.back().decay);
  EXPECT_TRUE(cut_spans(ParameterLayout(), {{0, 0}}).empty());
}

TEST(FlatBuffer, ClipScale) {
  EXPECT_DOUBLE_EQ(clip_scale(4.0, 0.0), 1.0);
  EXPECT_DOUBLE_EQ(clip_scale(0.5, 1.0), 1.0);
  EXPECT_DOUBLE_EQ(clip_scale(4.0, 1.0), 1.0 / 4.000001);
}

TEST(MakeOptimizer, RefusesWhatIsNotThere) {
  Parameters parameters(large_layout(), at::kCPU);
  const auto text = [&](const std::string& kind) -> std::string {
    OptimizerSettings settings;
    settings.kind = kind;
    try {
      make_optimizer(settings, parameters);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kUserInput);
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(text("adamw"), "");
  EXPECT_EQ(text("bert_adam"), "");
  EXPECT_EQ(text("adadelta"), "");
  EXPECT_EQ(text("sgd"), "optimizer: optimizer \"sgd\" is not available yet (use \"adamw\")");
  EXPECT_EQ(text("adam"), "optimizer: unknown optimizer \"adam\" (did you mean 'adamw'?)");
}

}  // namespace
}  // namespace kdbench::optimizer_test
