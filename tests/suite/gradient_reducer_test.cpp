// SPDX-License-Identifier: MIT
// Gradients summed over ranks: of the buckets each rank's own part, of a table of tokens the rows
// that any rank touches; values shared. By messages, and in the memory of a host.
#include "suite/training/gradient_reducer.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>

#include "methods/ops/linear.h"
#include "suite/ranks/control.h"
#include "suite/training/flat_buffer.h"
#include "suite/training/host_reducer.h"
#include "suite/training/optimizer.h"
#include "suite/training/token_tables.h"
#include "suite/training/travel_reducer.h"

namespace kdbench::gradient_reducer_test {
namespace {

ParameterLayout layout() {
  ParameterLayout layout;
  layout.add("first", {5, 3});
  layout.add_token_table("words", {11, 7});
  layout.add("last", {19});
  layout.freeze();
  return layout;
}

// Different on each rank; in the table only in the rows of the rank's own tokens.
at::Tensor gradients_of(int rank, const std::vector<int64_t>& tokens) {
  Parameters parameters(layout(), at::kCPU);
  for (const auto& segment : parameters.layout().segments()) {
    at::Tensor gradient = parameters[segment.name].grad();
    gradient.copy_(at::arange(segment.size).view(segment.shape).add(100.0F * (rank + 1)));
  }
  at::Tensor words = parameters["words"].grad();
  for (int64_t row = 0; row < 11; ++row) {
    if (std::find(tokens.begin(), tokens.end(), row) == tokens.end()) words[row].zero_();
  }
  return parameters.gradients().clone();
}

// What a rank of `size` holds after the sum: its own parts of the buckets, and all rows.
at::Tensor own_of(const at::Tensor& sum, int rank, int size) {
  Parameters whole(layout(), at::kCPU);
  whole.gradients().copy_(sum);
  for (const auto& bucket : gradient_buckets(layout(), at::kCPU)) {
    const auto parts = split_range(bucket, size);
    for (int other = 0; other < size; ++other) {
      if (other != rank)
        whole.gradients().narrow(0, parts[other].begin, parts[other].size()).zero_();
    }
  }
  return whole.gradients();
}

class GradientReducerTest : public ::testing::Test {
 protected:
  Control control{MPI_COMM_WORLD};
  std::unique_ptr<Collectives> collectives = make_collectives(control, at::kCPU);
};

TEST_F(GradientReducerTest, SumsWhatAnyRankTouches) {
  const auto tokens_of = [](int rank) { return std::vector<int64_t>{0, 2 + rank, 9}; };
  std::vector<int64_t> touched{0, 9};
  at::Tensor sum = at::zeros({layout().buffer_size()});
  for (int rank = 0; rank < control.size(); ++rank) {
    touched.push_back(2 + rank);
    sum += gradients_of(rank, tokens_of(rank));
  }
  Parameters parameters(layout(), at::kCPU);
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    TravelReducer reducer(parameters, *collectives, {type});
    for (int step = 0; step < 2; ++step) {
      parameters.gradients().copy_(gradients_of(control.rank(), tokens_of(control.rank())));
      reducer.reduce(touched);
      const at::Tensor expected = own_of(sum, control.rank(), control.size());
      if (type == at::kFloat || control.size() == 1) {
        EXPECT_TRUE(at::equal(parameters.gradients(), expected));
      } else {
        EXPECT_TRUE(at::allclose(parameters.gradients(), expected, 1.0 / 128, 1e-6));
      }
    }
  }
}

TEST_F(GradientReducerTest, NoTokensAndNoTables) {
  ParameterLayout plain;
  plain.add("weight", {4});
  plain.freeze();
  for (const auto& each : {plain, layout()}) {
    Parameters parameters(each, at::kCPU);
    const at::Tensor gradient = parameters[each.segments().front().name].grad();
    gradient.fill_(1.0F);
    make_gradient_reducer(parameters, control, *collectives, {})->reduce({});
    const float sum = control.sum(static_cast<double>(gradient.sum().item<float>()));
    EXPECT_EQ(sum, static_cast<float>(control.size() * gradient.numel()));
  }
}

TEST_F(GradientReducerTest, SharesWhatEachRankHasMoved) {
  Parameters parameters(layout(), at::kCPU);
  for (const auto& range : own_ranges(layout(), at::kCPU, {control.rank(), control.size()}))
    parameters.values().narrow(0, range.begin, range.size()).fill_(3.0F);
  TravelReducer(parameters, *collectives, {}).share_values();
  for (const auto& name : {"first", "last"})
    EXPECT_TRUE(parameters[name].eq(3.0F).all().item<bool>()) << name;
  EXPECT_TRUE(parameters["words"].eq(0.0F).all().item<bool>());
}

// Leaves that are used twice, once, through an operation that adds to the gradient itself, and not
// at all; also in a second step.
TEST_F(GradientReducerTest, BucketsThatStartDuringBackwardGiveTheSameSums) {
  ParameterLayout wide;
  const int64_t width = 1024;
  for (const char* name : {"unused", "one", "two", "three"}) wide.add(name, {width, width});
  wide.freeze();
  Parameters late(wide, at::kCPU), early(wide, at::kCPU);
  TravelReducer after(late, *collectives, {}), during(early, *collectives, {at::kFloat, true});
  for (int step = 0; step < 2; ++step) {
    for (auto* parameters : {&late, &early}) {
      Parameters& p = *parameters;
      {
        const at::NoGradGuard no_grad;
        p.values().copy_(at::arange(p.values().numel()).remainder(7).sub(3).mul(0.01));
      }
      TravelReducer& reducer = parameters == &late ? after : during;
      const at::Tensor x = at::full({3, width}, 0.1F * static_cast<float>(control.rank() + 1));
      const at::Tensor y = kdbench::linear(kdbench::linear(x, p["one"]), p["two"]);
      const at::Tensor loss = (kdbench::linear(y, p["two"]).matmul(p["three"])).square().sum();
      reducer.before_backward();
      loss.backward();
      reducer.reduce({});
    }
    EXPECT_GT(late.gradients().abs().sum().item<float>(), 0.0F);
    EXPECT_TRUE(at::equal(late.gradients(), early.gradients()));
    late.zero_gradients();
    early.zero_gradients();
  }
}

// Any floats: of three ranks the order of the sum shows.
at::Tensor any_gradients(int rank, int step, int64_t size) {
  return at::arange(size, at::kDouble).add(7.0 * rank + step).sin().to(at::kFloat);
}

// Of a rank's rows, whose tokens these are.
void fill(Parameters& parameters, const std::vector<int64_t>& tokens, int rank, int step) {
  for (const auto& segment : parameters.layout().segments()) {
    at::Tensor gradient = parameters[segment.name].grad();
    gradient.copy_(any_gradients(rank, step, segment.size).view(segment.shape));
    for (int64_t row = 0; segment.token_table && row < gradient.size(0); ++row)
      if (std::count(tokens.begin(), tokens.end(), row) == 0) gradient[row].zero_();
  }
}

// Two models that learn from the same gradients, one by messages and one in the host's memory.
TEST_F(GradientReducerTest, InTheHostsMemoryAsByMessages) {
  if (control.size() == 1) return;
  ASSERT_TRUE(share_host(control));
  OptimizerSettings settings;
  settings.weight_decay = 0.1;
  settings.clip = 1.0;
  for (const auto& kind : known_optimizers()) {
    settings.kind = kind;
    Parameters apart(layout(), at::kCPU), together(layout(), at::kCPU);
    for (auto* parameters : {&apart, &together})
      parameters->values().copy_(any_gradients(9, 9, layout().buffer_size()));
    TravelReducer travel(apart, *collectives, {});
    {
      HostReducer host(together, control);
      const auto of_apart = make_optimizer(settings, apart, travel.part()),
                 of_together = make_optimizer(settings, together, host.part());
      for (int step = 0; step < 4; ++step) {
        const std::vector<int64_t> tokens{0, 3, 4 + step, 9};
        std::vector<double> norms;
        for (const bool shares : {false, true}) {
          Parameters& parameters = shares ? together : apart;
          GradientReducer& reducer = shares ? static_cast<GradientReducer&>(host) : travel;
          Optimizer& optimizer = shares ? *of_together : *of_apart;
          optimizer.settle(parameters, tokens);
          reducer.share_settled();
          fill(parameters, tokens, control.rank(), step);
          reducer.reduce(tokens);
          const at::Tensor squares = optimizer.squares(parameters, &tokens);
          std::vector<double> sums(squares.const_data_ptr<double>(),
                                   squares.const_data_ptr<double>() + squares.numel());
          control.sum(sums);
          norms.push_back(norm_of(sums));
          optimizer.apply(parameters, 0.01, sums, 1.0, &tokens);
          reducer.share_values();
          // Later steps would add to what is left.
          EXPECT_EQ(parameters.gradients().abs().sum().item<float>(), 0.0F) << kind;
        }
        EXPECT_NEAR(norms[0], norms[1], 1e-12 * norms[0]);
      }
      of_apart->settle(apart);
      of_together->settle(together);
      host.share_settled();
    }
    EXPECT_TRUE(at::allclose(apart.values(), together.values(), 1e-6, 1e-8)) << kind;
    for (const auto& name : {"first", "last"})  // one order of rank for every sum
      EXPECT_TRUE(at::allclose(apart[name], together[name], 0.0, 1e-7)) << kind << " " << name;
  }
}

TEST_F(GradientReducerTest, AddsInOrderOfRankWhoeverAdds) {
  if (control.size() == 1) return;
  at::Tensor sum = at::zeros({layout().buffer_size()});
  for (int rank = 0; rank < control.size(); ++rank)
    sum += any_gradients(rank, 0, layout().buffer_size());
  Parameters apart(layout(), at::kCPU), together(layout(), at::kCPU);
  for (auto* parameters : {&apart, &together})
    parameters->gradients().copy_(any_gradients(control.rank(), 0, layout().buffer_size()));
  TravelReducer(apart, *collectives, {}).reduce({});
  HostReducer(together, control).reduce({});
  for (const auto& range : own_ranges(layout(), at::kCPU, {control.rank(), control.size()})) {
    const auto part = [&](const at::Tensor& all) {
      return all.narrow(0, range.begin, range.size());
    };
    EXPECT_TRUE(at::equal(part(apart.gradients()), part(sum)));
    EXPECT_TRUE(at::equal(part(together.gradients()), part(sum)));
  }
}

TEST_F(GradientReducerTest, RanksOfAHostHaveOneCopyOfTheValuesWhileTheyLearn) {
  if (control.size() == 1) return;
  Parameters parameters(layout(), at::kCPU);
  parameters.values().fill_(2.0F);
  {
    HostReducer host(parameters, control);
    const at::Tensor first = parameters["first"].detach().view({-1});
    EXPECT_EQ(first[0].item<float>(), 2.0F);
    control.barrier();
    if (control.rank() == control.size() - 1) first[0] = 5.0F;
    host.share_values();
    EXPECT_EQ(first[0].item<float>(), 5.0F);
    control.barrier();
  }
  parameters["first"].detach().view({-1})[1] = static_cast<float>(control.rank());
  control.barrier();
  EXPECT_EQ(parameters["first"].view({-1})[1].item<float>(), static_cast<float>(control.rank()));
  EXPECT_EQ(parameters["first"].view({-1})[0].item<float>(), 5.0F);
}

// A limit that the kernel keeps to when it is asked for memory.
TEST_F(GradientReducerTest, RanksThatLackSharedMemoryExchangeMessages) {
  if (control.size() == 1) return;
  ParameterLayout large;
  large.add("large", {1 << 16});
  large.freeze();
  Parameters parameters(large, at::kCPU);
  parameters.gradients().fill_(1.0F);
  std::string obstacle;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{control.rank() == 1 ? rlim_t{4096} : before.rlim_cur, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto reducer = make_gradient_reducer(parameters, control, *collectives, {},
                                             [&](const std::string& text) { obstacle = text; });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_NE(obstacle.find("cannot be had"), std::string::npos) << obstacle;
  EXPECT_FALSE(reducer->part().one_copy);
  reducer->reduce({});
  EXPECT_EQ(control.sum(parameters.gradients().sum().item<double>()),
            static_cast<double>(control.size()) * (1 << 16));
}

}  // namespace
}  // namespace kdbench::gradient_reducer_test
