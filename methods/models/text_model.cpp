// SPDX-License-Identifier: MIT
#include "methods/models/text_model.h"

#include <stdexcept>
#include <vector>

#include "io/base/error.h"
#include "io/base/text.h"
#include "methods/models/registry.h"

namespace kdbench {

Outputs TextModel::forward(const Batch&, const ForwardMode&) {
  throw std::logic_error(config_.architecture +
                         " is a language model: it has target_losses and no classes");
}

std::unique_ptr<TextModel> make_text_model(const ModelSpec& spec) {
  if (!find_architecture(spec.config.architecture).language_model) {
    std::vector<std::string> known;
    for (const auto& architecture : all_architectures()) {
      if (architecture.language_model) known.push_back(architecture.name);
    }
    throw_user_error("architecture", "\"" + spec.config.architecture + "\" is no language model",
                     "language models: " + joined(known, ", "));
  }
  std::unique_ptr<Model> model = make_model(spec);
  auto* text_model = dynamic_cast<TextModel*>(model.get());
  if (!text_model) throw std::logic_error(spec.config.architecture + " says what it is not");
  model.release();
  return std::unique_ptr<TextModel>(text_model);
}

}  // namespace kdbench
