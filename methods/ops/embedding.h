// SPDX-License-Identifier: MIT
// dropout(LayerNorm(word + position + token type)) in one pass. Backward adds only to the rows that
// were looked up, in the order of the tokens whatever the number of threads.
#pragma once

#include <ATen/ATen.h>

#include "methods/ops/dropout.h"
#include "methods/ops/dropout_add_layer_norm.h"
#include "methods/ops/token_rows.h"

namespace kdbench {

struct EmbeddingTables {
  at::Tensor word;             // (vocabulary, H)
  at::Tensor position;         // (positions, H)
  at::Tensor token_type;       // (types, H)
  int64_t first_position = 0;  // row of `position` of each row's first token
};

// ids, types (T) int64, within the tables as the positions are -> (T, H). Fast on the CPU in
// float32; elsewhere the reference. Parameter gradients go where parameter_gradient.h says.
at::Tensor embedding(const at::Tensor& ids, const at::Tensor& types, const EmbeddingTables& tables,
                     const LayerNormParameters& norm, const Dropout& dropout,
                     const TokenRows& rows);
at::Tensor embedding_reference(const at::Tensor& ids, const at::Tensor& types,
                               const EmbeddingTables& tables, const LayerNormParameters& norm,
                               const Dropout& dropout, const TokenRows& rows);

}  // namespace kdbench
