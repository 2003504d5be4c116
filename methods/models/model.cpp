// SPDX-License-Identifier: MIT
#include "methods/models/model.h"

#include <ATen/ATen.h>

#include "io/base/error.h"
#include "methods/models/registry.h"

namespace kdbench {
namespace {

at::Tensor initial_value(const Segment& segment, const FirstValues& rule, uint64_t seed) {
  at::Tensor value = at::full(segment.shape, rule.constant, at::kFloat);
  if (rule.bound) {
    fill_uniform(seed, segment.name, -*rule.bound, *rule.bound, value.mutable_data_ptr<float>(),
                 value.numel());
  } else if (rule.deviation) {
    fill_normal(seed, segment.name, segment.deviation.value_or(*rule.deviation),
                value.mutable_data_ptr<float>(), value.numel());
  }
  return value;
}

}  // namespace

void Model::check_ids(const at::Tensor& ids) const {
  if (ids.numel() == 0) return;
  const auto [low, high] = at::aminmax(ids);
  if (low.item<int64_t>() >= 0 && high.item<int64_t>() < config_.vocabulary) return;
  throw_user_error("tokens",
                   "ids from " + std::to_string(low.item<int64_t>()) + " to " +
                       std::to_string(high.item<int64_t>()) + ", but the model's vocabulary has " +
                       std::to_string(config_.vocabulary) + " entries",
                   "the tokenizer is another model's");
}

TokenRows Model::checked_rows(const Batch& batch, const std::string& hint) const {
  const Ragged& tokens = batch.ragged_field(field::kTokens);
  TokenRows rows = make_token_rows(tokens.offsets, batch.row_ids, tokens.values.device());
  if (rows.longest > config_.longest_row()) {
    throw_user_error("tokens",
                     "a row has " + std::to_string(rows.longest) + " tokens, but the model only " +
                         std::to_string(config_.longest_row()) + " positions",
                     hint);
  }
  check_ids(tokens.values);
  return rows;
}

std::unique_ptr<Model> make_model(const ModelSpec& spec) {
  const Architecture& architecture = find_architecture(spec.config.architecture);
  Problems problems;
  architecture.check(spec, problems);
  problems.throw_if_any(architecture.name);
  ParameterLayout layout(architecture.decays);
  architecture.declare(spec, layout);
  for (const auto& extra : spec.extra) layout.add_extra(extra);
  layout.freeze();
  return architecture.make(spec.config, Parameters(std::move(layout), spec.device));
}

void initialize_parameters(Model& model, uint64_t seed) {
  const at::NoGradGuard no_gradients;
  Parameters& parameters = model.parameters();
  if (parameters.device().is_meta()) return;  // sizes without values
  const Architecture& architecture = find_architecture(model.config().architecture);
  for (const auto& segment : parameters.layout().tensors()) {
    const FirstValues rule = architecture.first_values(segment.name, model.config());
    parameters[segment.name].copy_(initial_value(segment, rule, seed));
  }
}

}  // namespace kdbench
