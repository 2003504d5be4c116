// SPDX-License-Identifier: MIT
#include "methods/models/checkpoint.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "io/base/error.h"
#include "io/base/partial_file.h"
#include "io/base/text.h"
#include "io/weights/weight_files.h"
#include "methods/models/registry.h"

namespace kdbench {

namespace {

// What a wrapper of the model (DataParallel, Lightning, somebody's own class) has put before its
// names; "" when nothing has.
std::string find_wrapper(const TensorMap& tensors, const Architecture& architecture,
                         const std::string& where) {
  std::set<std::string> found;
  for (const auto& [name, tensor] : tensors) {
    if (const auto wrapper = architecture.names.wrapper_of(name)) found.insert(*wrapper);
  }
  if (found.empty() || found.contains("")) return "";
  if (found.size() > 1) {
    throw_user_error(where,
                     "holds several models, below " + quoted_list({found.begin(), found.end()}),
                     "save the one that is meant in a folder of its own");
  }
  for (const auto& other : all_architectures()) {
    const std::string& prefix = other.names.prefix;
    if (prefix.empty() || !found.begin()->ends_with(prefix)) continue;
    throw_user_error(where, "holds the weights of a " + other.name + " model",
                     "model_type in config.json is \"" + architecture.name + "\"");
  }
  return *found.begin();
}

}  // namespace

TensorMap read_checkpoint(const std::filesystem::path& folder, const std::string& architecture,
                          std::vector<std::string>* notes) {
  const Architecture& entry = find_architecture(architecture);
  const TensorMap stored = read_weight_files(folder);
  const std::string wrapper = find_wrapper(stored, entry, folder.string());
  TensorMap tensors;
  for (const auto& [name, tensor] : stored) {
    const std::string unwrapped = name.starts_with(wrapper) ? name.substr(wrapper.size()) : name;
    const std::string own = entry.names.own_name(unwrapped);
    if (entry.names.holds_no_parameter(own)) continue;
    if (!tensors.emplace(own, tensor).second)
      throw_user_error(folder.string() + ":" + name, "is there twice under different names", own);
  }
  if (!notes) return tensors;
  if (!wrapper.empty())
    notes->push_back("its tensors' names begin with \"" + wrapper + "\", which is left out");
  const auto unused = unused_weight_files(folder);
  if (!unused.empty()) notes->push_back("files that are not used: " + joined(unused, ", "));
  return tensors;
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
  const std::string text = to_config_json(model.config()).dump(2) + "\n";
  write_file(folder / "config.json", text);
  write_safetensors(folder / "model.safetensors", to_checkpoint(model));
}

}  // namespace kdbench
