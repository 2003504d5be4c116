// SPDX-License-Identifier: MIT
// Gradients summed over ranks: the whole buffer, of a table of tokens the rows that any rank
// touches.
#include "suite/training/gradient_reducer.h"

#include <gtest/gtest.h>

#include <algorithm>

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

TEST(GradientReducer, SumsWhatAnyRankTouches) {
  const Control control(MPI_COMM_WORLD);
  const auto collectives = make_collectives(control, at::kCPU);
  const auto tokens_of = [](int rank) { return std::vector<int64_t>{0, 2 + rank, 9}; };
  std::vector<int64_t> touched{0, 9};
  at::Tensor expected = at::zeros({layout().buffer_size()});
  for (int rank = 0; rank < control.size(); ++rank) {
    touched.push_back(2 + rank);
    expected += gradients_of(rank, tokens_of(rank));
  }
  Parameters parameters(layout(), at::kCPU);
  parameters.gradients().copy_(gradients_of(control.rank(), tokens_of(control.rank())));
  GradientReducer(*collectives).reduce(parameters, touched);
  EXPECT_TRUE(at::equal(parameters.gradients(), expected));
}

TEST(GradientReducer, NoTokensAndNoTables) {
  const Control control(MPI_COMM_WORLD);
  const auto collectives = make_collectives(control, at::kCPU);
  ParameterLayout plain;
  plain.add("weight", {4});
  plain.freeze();
  for (const auto& each : {plain, layout()}) {
    Parameters parameters(each, at::kCPU);
    parameters[each.segments().front().name].grad().fill_(1.0F);
    GradientReducer(*collectives).reduce(parameters, {});
    EXPECT_EQ(parameters[each.segments().front().name].grad().max().item<float>(),
              static_cast<float>(control.size()));
  }
}

}  // namespace
}  // namespace kdbench::gradient_reducer_test
