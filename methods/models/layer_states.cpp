// SPDX-License-Identifier: MIT
#include "methods/models/layer_states.h"

namespace kdbench {

at::Tensor cls_of_layers(const Outputs& outputs, const std::vector<int64_t>& layers) {
  const at::TensorOptions index(at::kLong);
  return outputs.cls.index_select(1, at::tensor(layers, index.device(outputs.cls.device())) - 1);
}

at::Tensor hidden_of_layers(const Outputs& outputs, const std::vector<int64_t>& layers) {
  std::vector<at::Tensor> states;
  for (const int64_t layer : layers) states.push_back(outputs.hidden.at(layer));
  return at::stack(states, 1);
}

}  // namespace kdbench
