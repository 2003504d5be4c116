// SPDX-License-Identifier: MIT
#include "methods/models/model.h"

#include <ATen/ATen.h>

#include "io/base/error.h"
#include "methods/models/registry.h"

namespace kdbench {
namespace {

at::Tensor initial_value(const Segment& segment, const FirstValues& rule, uint64_t seed) {
  at::Tensor value = at::full(segment.shape, rule.constant, at::kFloat);
  if (rule.deviation) {
    fill_normal(seed, segment.name, segment.deviation.value_or(*rule.deviation),
                value.mutable_data_ptr<float>(), value.numel());
  }
  return value;
}

}  // namespace

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
  for (const auto& segment : parameters.layout().segments()) {
    const FirstValues rule = architecture.first_values(segment.name, model.config());
    parameters[segment.name].copy_(initial_value(segment, rule, seed));
  }
}

}  // namespace kdbench
