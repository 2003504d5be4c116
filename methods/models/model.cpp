// SPDX-License-Identifier: MIT
#include "methods/models/model.h"

#include <ATen/ATen.h>

#include <functional>
#include <map>

#include "io/base/error.h"
#include "io/base/text.h"
#include "methods/models/encoder.h"

namespace kdbench {
namespace {

using Factory = std::function<std::unique_ptr<Model>(const ModelSpec&)>;

// The one list of architectures, by config.json's model_type.
const std::map<std::string, Factory>& factories() {
  static const std::map<std::string, Factory> list = {
      {"bert", make_bert},
      {"roberta", make_roberta},
  };
  return list;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

at::Tensor initial_value(const Segment& segment, double deviation, uint64_t seed) {
  if (ends_with(segment.name, "LayerNorm.weight")) return at::ones(segment.shape);
  at::Tensor value = at::zeros(segment.shape);
  if (!ends_with(segment.name, "bias")) {
    fill_normal(seed, segment.name, segment.deviation.value_or(deviation),
                value.mutable_data_ptr<float>(), value.numel());
  }
  return value;
}

}  // namespace

std::unique_ptr<Model> make_model(const ModelSpec& spec) {
  const auto it = factories().find(spec.config.architecture);
  if (it == factories().end()) {
    throw_user_error("architecture", "\"" + spec.config.architecture + "\" is not known",
                     "known: " + joined(known_architectures(), ", "));
  }
  return it->second(spec);
}

const std::vector<std::string>& known_architectures() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const auto& [name, factory] : factories()) list.push_back(name);
    return list;
  }();
  return names;
}

void initialize_parameters(Model& model, uint64_t seed) {
  const at::NoGradGuard no_gradients;
  Parameters& parameters = model.parameters();
  if (parameters.device().is_meta()) return;  // sizes without values
  for (const auto& segment : parameters.layout().segments()) {
    parameters[segment.name].copy_(initial_value(segment, model.config().initializer_range, seed));
  }
}

}  // namespace kdbench
