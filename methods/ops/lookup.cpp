// SPDX-License-Identifier: MIT
#include "methods/ops/lookup.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "methods/ops/fast_path.h"
#include "methods/ops/parameter_gradient.h"

namespace kdbench {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Lookup : torch::autograd::Function<Lookup> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& table, const at::Tensor& ids) {
    ctx->save_for_backward({table, ids});
    return table.index_select(0, ids);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    ParameterGradient gradient(saved[0]);
    add_to_rows(saved[1], gradients[0].contiguous(), gradient.sum());
    return {gradient.returned(), at::Tensor()};
  }
};

}  // namespace

void add_to_rows(const at::Tensor& index, const at::Tensor& rows, at::Tensor& table) {
  // Threads share out channels, not tokens.
  constexpr int64_t kGrain = 64;
  const int64_t width = rows.size(1), tokens = rows.size(0);
  const int64_t* target = index.const_data_ptr<int64_t>();
  const float* from = rows.const_data_ptr<float>();
  float* to = table.mutable_data_ptr<float>();
  at::parallel_for(0, width, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t t = 0; t < tokens; ++t) {
      const float* source = from + t * width;
      float* sum = to + target[t] * width;
      for (int64_t h = begin; h < end; ++h) sum[h] += source[h];
    }
  });
}

at::Tensor lookup(const at::Tensor& table, const at::Tensor& ids) {
  return has_fast_path(table) ? Lookup::apply(table, ids.contiguous())
                              : lookup_reference(table, ids);
}

at::Tensor lookup_reference(const at::Tensor& table, const at::Tensor& ids) {
  return at::embedding(table, ids);
}

}  // namespace kdbench
