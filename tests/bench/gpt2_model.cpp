// SPDX-License-Identifier: MIT
#include "tests/bench/gpt2_model.h"

#include "methods/models/registry.h"

namespace kdbench {

std::unique_ptr<LanguageModel> make_gpt2(const Gpt2Sizes& sizes, at::Device device) {
  ModelSpec spec;
  spec.config = find_architecture("gpt2").defaults;
  spec.config.vocabulary = sizes.vocabulary;
  spec.config.layers = sizes.layers;
  spec.config.hidden = sizes.hidden;
  spec.config.heads = sizes.heads;
  spec.config.intermediate = 4 * sizes.hidden;
  spec.device = device;
  auto model = make_language_model(spec);
  initialize_parameters(*model, 1);
  return model;
}

}  // namespace kdbench
