// SPDX-License-Identifier: MIT
#include "methods/ops/embedding.h"

#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>

#include "methods/ops/chunks.h"
#include "methods/ops/dropout_words.h"
#include "methods/ops/fast_path.h"
#include "methods/ops/function_state.h"
#include "methods/ops/lookup.h"
#include "methods/ops/parameter_gradient.h"
#include "methods/ops/row_kernels.h"

namespace kdbench {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct TokenLookup {
  at::Tensor ids, types, positions;
  Dropout dropout;
  TokenRows rows;
};

// sums[t] = the three table rows of token t, added up.
void add_tables(const TokenLookup& in, const std::array<const float*, 3>& tables, int64_t begin,
                int64_t end, int64_t width, float* sums) {
  const int64_t* id = in.ids.const_data_ptr<int64_t>();
  const int64_t* type = in.types.const_data_ptr<int64_t>();
  const int64_t* position = in.positions.const_data_ptr<int64_t>();
  for (int64_t t = begin; t < end; ++t) {
    const float *word = tables[0] + id[t] * width, *place = tables[1] + position[t] * width;
    const float* kind = tables[2] + type[t] * width;
    float* sum = sums + t * width;
    for (int64_t h = 0; h < width; ++h) sum[h] = word[h] + place[h] + kind[h];
  }
}

struct Embedding : torch::autograd::Function<Embedding> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& word,
                            const at::Tensor& position, const at::Tensor& token_type,
                            const at::Tensor& gamma, const at::Tensor& beta, double eps,
                            const TokenLookup& in) {
    const int64_t tokens = in.ids.size(0), width = word.size(1);
    at::Tensor y = at::empty({tokens, width}, word.options());
    at::Tensor normalized = at::empty_like(y), inverse_deviation = at::empty({tokens}, y.options());
    const std::array<const float*, 3> tables = {word.const_data_ptr<float>(),
                                                position.const_data_ptr<float>(),
                                                token_type.const_data_ptr<float>()};
    const float *scale = gamma.const_data_ptr<float>(), *offset = beta.const_data_ptr<float>();
    float *out = y.mutable_data_ptr<float>(), *hat = normalized.mutable_data_ptr<float>();
    float* deviations = inverse_deviation.mutable_data_ptr<float>();
    for_token_chunks(tokens, [&](int64_t, int64_t begin, int64_t end) {
      TokenWords words(in.dropout, in.rows, width);
      add_tables(in, tables, begin, end, width, hat);
      for (int64_t t = begin; t < end; ++t) {
        const int64_t at = t * width;
        deviations[t] =
            normalize(width, hat + at, static_cast<float>(eps), scale, offset, hat + at, out + at);
        if (in.dropout.active()) drop(width, out + at, words.of(t), words.keep(), out + at);
      }
    });
    ctx->save_for_backward(
        {normalized, inverse_deviation, word, position, token_type, gamma, beta});
    save_state(ctx, in);
    return y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const auto in = saved_state<TokenLookup>(ctx);
    const at::Tensor dy = gradients[0].contiguous();
    const int64_t tokens = dy.size(0), width = dy.size(1);
    at::Tensor dsum = at::empty_like(dy), sums = chunk_sums(tokens, 2 * width);
    const float *dout = dy.const_data_ptr<float>(), *hat = saved[0].const_data_ptr<float>();
    const float* deviations = saved[1].const_data_ptr<float>();
    const float* scale = saved[5].const_data_ptr<float>();
    float *din = dsum.mutable_data_ptr<float>(), *sum_data = sums.mutable_data_ptr<float>();
    for_token_chunks(tokens, [&](int64_t chunk, int64_t begin, int64_t end) {
      TokenWords words(in.dropout, in.rows, width);
      float *dgamma = sum_data + chunk * 2 * width, *dbeta = dgamma + width;
      for (int64_t t = begin; t < end; ++t) {
        const int64_t at = t * width;
        drop(width, dout + at, words.of(t), words.keep(), din + at);
        normalize_backward(width, din + at, hat + at, deviations[t], scale, din + at, dgamma,
                           dbeta);
      }
    });
    variable_list result(7);
    const std::array<at::Tensor, 3> indices = {in.ids, in.positions, in.types};
    for (int i = 0; i < 3; ++i) {
      ParameterGradient gradient(saved[2 + i]);
      add_to_rows(indices[i], dsum, gradient.sum());
      result[i] = gradient.returned();
    }
    const at::Tensor total = sums.sum(0);
    for (int i = 0; i < 2; ++i) {
      ParameterGradient gradient(saved[5 + i]);
      gradient.sum().add_(total.narrow(0, i * width, width));
      result[3 + i] = gradient.returned();
    }
    return result;
  }
};

at::Tensor positions_of(const TokenRows& rows, const EmbeddingTables& tables) {
  return tables.first_position == 0 ? rows.position : rows.position + tables.first_position;
}

}  // namespace

at::Tensor embedding(const at::Tensor& ids, const at::Tensor& types, const EmbeddingTables& tables,
                     const LayerNormParameters& norm, const Dropout& dropout,
                     const TokenRows& rows) {
  RECORD_USER_SCOPE("embedding");
  if (!has_fast_path(tables.word)) {
    return embedding_reference(ids, types, tables, norm, dropout, rows);
  }
  return Embedding::apply(
      tables.word, tables.position, tables.token_type, norm.gamma, norm.beta, norm.eps,
      TokenLookup{ids.contiguous(), types.contiguous(), positions_of(rows, tables), dropout, rows});
}

at::Tensor embedding_reference(const at::Tensor& ids, const at::Tensor& types,
                               const EmbeddingTables& tables, const LayerNormParameters& norm,
                               const Dropout& dropout, const TokenRows& rows) {
  const at::Tensor sum = at::embedding(tables.word, ids) +
                         at::embedding(tables.position, positions_of(rows, tables)) +
                         at::embedding(tables.token_type, types);
  const at::Tensor y = at::layer_norm(sum, {tables.word.size(1)}, norm.gamma, norm.beta, norm.eps);
  return kdbench::dropout(y, dropout, rows);
}

}  // namespace kdbench
