// SPDX-License-Identifier: MIT
#include "methods/ops/row_states.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>

#include "methods/ops/fast_path.h"
#include "methods/ops/simd.h"

namespace kdbench {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// For each row its two halves: f(row, token by steps, first channel).
template <typename F>
void for_ends(const at::Tensor& first, const at::Tensor& last, int64_t width, const F& f) {
  const int64_t *begin = first.const_data_ptr<int64_t>(), *end = last.const_data_ptr<int64_t>();
  for (int64_t row = 0; row < first.size(0); ++row) {
    f(row, end[row], int64_t{0});
    f(row, begin[row], width);
  }
}

struct EndStates : torch::autograd::Function<EndStates> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& states, const at::Tensor& first,
                            const at::Tensor& last) {
    ctx->save_for_backward({first, last});
    ctx->saved_data["tokens"] = states.size(0);
    const int64_t both = states.size(1), width = both / 2;
    at::Tensor ends = at::empty({first.size(0), both}, states.options());
    const float* from = states.const_data_ptr<float>();
    float* to = ends.mutable_data_ptr<float>();
    for_ends(first, last, width, [&](int64_t row, int64_t token, int64_t channel) {
      std::copy_n(from + token * both + channel, width, to + row * both + channel);
    });
    return ends;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor dends = gradients[0].contiguous();
    const int64_t both = dends.size(1), width = both / 2;
    at::Tensor dstates = at::zeros({ctx->saved_data["tokens"].toInt(), both}, dends.options());
    const float* from = dends.const_data_ptr<float>();
    float* to = dstates.mutable_data_ptr<float>();
    for_ends(saved[0], saved[1], width, [&](int64_t row, int64_t token, int64_t channel) {
      std::copy_n(from + row * both + channel, width, to + token * both + channel);
    });
    return {dstates, at::Tensor(), at::Tensor()};
  }
};

// Keeps a NaN.
KDBENCH_SIMD void take_larger(int64_t width, const float* states, int32_t token, float* most,
                              int32_t* where) {
#pragma omp simd
  for (int64_t h = 0; h < width; ++h) {
    const bool larger = states[h] > most[h] || states[h] != states[h];
    most[h] = larger ? states[h] : most[h];
    where[h] = larger ? token : where[h];
  }
}

struct LargestStates : torch::autograd::Function<LargestStates> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& states, const StepRows& rows) {
    const int64_t width = states.size(1);
    at::Tensor most = at::full({rows.rows(), width}, -INFINITY, states.options());
    at::Tensor where = at::empty({rows.rows(), width}, at::kInt);
    const float* from = states.const_data_ptr<float>();
    for (const auto& step : rows.steps()) {
      for (int64_t place = 0; place < step.rows; ++place) {
        const int64_t token = step.first + place;
        take_larger(width, from + token * width, static_cast<int32_t>(token),
                    most.mutable_data_ptr<float>() + place * width,
                    where.mutable_data_ptr<int32_t>() + place * width);
      }
    }
    ctx->save_for_backward({where, rows.first()});
    ctx->saved_data["tokens"] = states.size(0);
    return most.index_select(0, rows.first());
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor& dmost = gradients[0];
    const at::Tensor by_row = saved[0].index_select(0, saved[1]).to(at::kLong);
    at::Tensor dstates =
        at::zeros({ctx->saved_data["tokens"].toInt(), dmost.size(1)}, dmost.options());
    return {dstates.scatter_(0, by_row, dmost), at::Tensor()};
  }
};

}  // namespace

at::Tensor end_states(const at::Tensor& states, const StepRows& rows) {
  return has_fast_path(states) ? EndStates::apply(states.contiguous(), rows.first(), rows.last())
                               : end_states_reference(states, rows);
}

at::Tensor end_states_reference(const at::Tensor& states, const StepRows& rows) {
  const auto halves = states.chunk(2, 1);
  return at::cat({halves[0].index_select(0, rows.last()), halves[1].index_select(0, rows.first())},
                 1);
}

at::Tensor largest_states(const at::Tensor& states, const StepRows& rows) {
  return has_fast_path(states) ? LargestStates::apply(states.contiguous(), rows)
                               : largest_states_reference(states, rows);
}

at::Tensor largest_states_reference(const at::Tensor& states, const StepRows& rows) {
  // Step by step the rows that still have a token; the others keep what they have.
  at::Tensor most;
  for (const auto& step : rows.steps()) {
    const at::Tensor now = states.narrow(0, step.first, step.rows);
    if (!most.defined()) {
      most = now;
      continue;
    }
    const at::Tensor before = most.narrow(0, 0, step.rows);
    const at::Tensor larger = at::where(now.gt(before).logical_or(now.isnan()), now, before);
    most = at::cat({larger, most.narrow(0, step.rows, most.size(0) - step.rows)});
  }
  return most.defined() ? most.index_select(0, rows.first()) : states;
}

}  // namespace kdbench
