// SPDX-License-Identifier: MIT
#include "methods/models/checkpoint.h"

#include <nlohmann/json.hpp>
#include <string>

#include "io/base/partial_file.h"
#include "io/weights/huggingface.h"

namespace kdbench {
namespace {

bool has_prefix(const std::string& name) {
  return name.starts_with("embeddings.") || name.starts_with("encoder.") ||
         name.starts_with("pooler.");
}

}  // namespace

TensorMap to_checkpoint(const Model& model) {
  TensorMap tensors;
  for (auto& [name, tensor] : model.parameters().to_tensors()) {
    if (model.parameters().layout().segment(name).extra) continue;
    tensors[has_prefix(name) ? model.config().architecture + "." + name : name] = tensor;
  }
  return tensors;
}

void save_checkpoint(const Model& model, const std::filesystem::path& folder) {
  PartialFile config(folder / "config.json");
  const std::string text = to_config_json(model.config()).dump(2) + "\n";
  config.write(text.data(), text.size());
  config.commit();
  write_safetensors(folder / "model.safetensors", to_checkpoint(model));
}

}  // namespace kdbench
