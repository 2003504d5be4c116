// SPDX-License-Identifier: MIT
// States of an encoder as another program computed them: padded rows of ids, the hidden states of
// all layers, the pooled output.
#pragma once

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "io/weights/safetensors.h"
#include "methods/models/model.h"
#include "tests/methods/op_check.h"
#include "tests/methods/small_batch.h"

namespace kdbench::testing {

inline ForwardMode every_state(int64_t states, bool attention) {
  ForwardMode mode;
  mode.hidden_layers.resize(static_cast<size_t>(states));
  std::iota(mode.hidden_layers.begin(), mode.hidden_layers.end(), 0);
  mode.cls_states = true;
  mode.attention = attention;
  return mode;
}

// The rows of a padded fixture as a ragged batch.
inline Batch fixture_batch(const TensorMap& fixture) {
  const at::Tensor ids = fixture.at("input_ids"), types = fixture.at("token_type_ids");
  const at::Tensor lengths = fixture.at("attention_mask").sum(1);
  std::vector<std::vector<int64_t>> rows;
  std::vector<int64_t> first_segment, row_ids;
  for (int64_t r = 0; r < ids.size(0); ++r) {
    const int64_t length = lengths[r].item<int64_t>();
    std::vector<int64_t> row;
    for (int64_t i = 0; i < length; ++i) row.push_back(ids[r][i].item<int64_t>());
    rows.push_back(row);
    first_segment.push_back(length - types[r].sum().item<int64_t>());
    row_ids.push_back(r);
  }
  return make_batch(rows, first_segment, row_ids);
}

inline void expect_states(const std::string& name, const std::string& fixture_path, Model& model) {
  const TensorMap fixture = read_safetensors(fixture_path);
  const Batch batch = fixture_batch(fixture);
  const at::Tensor mask = fixture.at("attention_mask").to(at::kBool);
  const at::NoGradGuard no_gradients;
  for (const bool attention : {false, true}) {
    const Outputs outputs =
        model.forward(batch, every_state(fixture.at("hidden_states").size(0), attention));
    ASSERT_EQ(outputs.hidden.size(), 7u);
    for (int64_t layer = 0; layer < 7; ++layer) {
      const at::Tensor expected = fixture.at("hidden_states")[layer].index({mask});
      EXPECT_LT(largest(outputs.hidden[layer] - expected), 2e-4) << name << layer;
    }
    EXPECT_LT(largest(outputs.pooled - fixture.at("pooled")), 1e-4) << name;
  }
  // Without hidden states the last layer runs on [CLS] alone.
  const Outputs outputs = model.forward(batch, {});
  EXPECT_LT(largest(outputs.pooled - fixture.at("pooled")), 1e-4) << name;
}

}  // namespace kdbench::testing
