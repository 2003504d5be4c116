// SPDX-License-Identifier: MIT
#include "methods/method.h"

namespace kdbench {

ForwardMode StepContext::train(std::string_view role) const {
  ForwardMode mode = eval();
  mode.training = true;
  mode.key = {derive_seed(key.seed, role), key.step};
  return mode;
}

ForwardMode StepContext::eval() const {
  ForwardMode mode;
  mode.type = type;
  return mode;
}

bool takes_outputs(const TeacherNeeds& needs) {
  return needs.logits || !needs.cls_layers.empty() || !needs.hidden_layers.empty();
}

}  // namespace kdbench
