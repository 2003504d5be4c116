// SPDX-License-Identifier: MIT
#include "methods/ops/embedding.h"

#include <ATen/Parallel.h>

#include "tests/methods/op_check.h"

namespace kdbench::embedding_test {
namespace {

using testing::numbers;
using testing::Op;
using testing::rows_of;
using testing::Tensors;

const Dropout kDropout{0.2, {11, 3}, 0};

using Form = at::Tensor (*)(const at::Tensor&, const at::Tensor&, const EmbeddingTables&,
                            const LayerNormParameters&, const Dropout&, const TokenRows&);
// Inputs: word, position, token type, gamma, beta.
Op op(Form form, const Dropout& dropout, const TokenRows& rows, int64_t first_position = 0) {
  const at::Tensor ids = (at::arange(rows.tokens(), at::kLong) * 5).remainder(11);
  const at::Tensor types = rows.position.ge(2).to(at::kLong);
  return [=](const Tensors& in) {
    return form(ids, types, {in[0], in[1], in[2], first_position}, {in[3], in[4], 1e-12}, dropout,
                rows);
  };
}

Tensors inputs(int64_t width) {
  return {numbers({11, width}), numbers({70, width}, 1), numbers({2, width}, 2),
          numbers({width}, 3), numbers({width}, 4)};
}

TEST(Embedding, EqualsItsReference) {
  for (const int64_t width : {5, 48, 384}) {
    for (const auto& lengths : std::vector<std::vector<int64_t>>{{}, {1}, {3, 64, 1, 27}}) {
      const TokenRows rows = rows_of(lengths);
      for (const Dropout& dropout : {Dropout{}, kDropout}) {
        testing::expect_same(op(embedding, dropout, rows), op(embedding_reference, dropout, rows),
                             inputs(width), 3e-6);
      }
    }
  }
}

// Tables whose first rows nobody reads are the others, moved.
TEST(Embedding, FirstPosition) {
  const TokenRows rows = rows_of({3, 64, 1, 27});
  testing::expect_same(op(embedding, kDropout, rows, 2), op(embedding_reference, kDropout, rows, 2),
                       inputs(48), 3e-6);
  Tensors moved = inputs(48);
  moved[1] = at::cat({at::full({2, 48}, 7.0), moved[1]});
  testing::expect_close(op(embedding, kDropout, rows, 2)(moved),
                        op(embedding, kDropout, rows)(inputs(48)), 0.0, "moved");
}

TEST(Embedding, ReferenceDifferentiates) {
  testing::expect_differentiates(op(embedding_reference, kDropout, rows_of({2, 3})), inputs(8));
}

TEST(Embedding, DoesNotDependOnThreads) {
  const Op fast = op(embedding, kDropout, rows_of({50, 60, 70}));
  std::vector<Tensors> results;
  for (const int threads : {1, 2}) {
    at::set_num_threads(threads);
    Tensors leaves = testing::leaves_of(inputs(200), 0.0, true);
    testing::weigh(fast(leaves)).backward();
    Tensors result;
    for (const auto& leaf : leaves) result.push_back(leaf.grad());
    results.push_back(result);
  }
  for (size_t i = 0; i < results[0].size(); ++i) EXPECT_TRUE(results[0][i].equal(results[1][i]));
}

}  // namespace
}  // namespace kdbench::embedding_test
