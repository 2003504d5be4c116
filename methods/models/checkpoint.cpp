// SPDX-License-Identifier: MIT
#include "methods/models/checkpoint.h"

#include <nlohmann/json.hpp>
#include <string>

#include "io/base/partial_file.h"
#include "io/weights/weight_files.h"
#include "methods/models/registry.h"

namespace kdbench {

TensorMap read_checkpoint(const std::filesystem::path& folder, const std::string& architecture) {
  const CheckpointNames& names = find_architecture(architecture).names;
  return read_weight_files(folder, [&](const std::string& name) { return names.own_name(name); });
}

TensorMap to_checkpoint(const Model& model) {
  const CheckpointNames& names = find_architecture(model.config().architecture).names;
  TensorMap tensors;
  for (auto& [name, tensor] : model.parameters().to_tensors()) {
    if (model.parameters().layout().segment(name).extra) continue;
    tensors[names.file_name(name)] = tensor;
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
