// SPDX-License-Identifier: MIT
// Gradients summed over ranks: of the buckets each rank's own part, of a table of tokens the rows
// that any rank touches; values shared.
#include "suite/training/gradient_reducer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "methods/ops/linear.h"
#include "suite/ranks/control.h"

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
    GradientReducer reducer(parameters, *collectives, {type});
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
    GradientReducer(parameters, *collectives, {}).reduce({});
    const float sum = control.sum(static_cast<double>(gradient.sum().item<float>()));
    EXPECT_EQ(sum, static_cast<float>(control.size() * gradient.numel()));
  }
}

TEST_F(GradientReducerTest, SharesWhatEachRankHasMoved) {
  Parameters parameters(layout(), at::kCPU);
  for (const auto& range : own_ranges(layout(), at::kCPU, {control.rank(), control.size()}))
    parameters.values().narrow(0, range.begin, range.size()).fill_(3.0F);
  GradientReducer(parameters, *collectives, {}).share_values();
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
  GradientReducer after(late, *collectives, {}), during(early, *collectives, {at::kFloat, true});
  for (int step = 0; step < 2; ++step) {
    for (auto* parameters : {&late, &early}) {
      Parameters& p = *parameters;
      {
        const at::NoGradGuard no_grad;
        p.values().copy_(at::arange(p.values().numel()).remainder(7).sub(3).mul(0.01));
      }
      GradientReducer& reducer = parameters == &late ? after : during;
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

}  // namespace
}  // namespace kdbench::gradient_reducer_test
