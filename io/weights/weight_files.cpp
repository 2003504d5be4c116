// SPDX-License-Identifier: MIT
#include "io/weights/weight_files.h"

#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "io/base/error.h"
#include "io/base/json_file.h"
#include "io/base/sha256.h"

namespace kdbench {
namespace {

using nlohmann::json;

// Files with the weights of a folder, in the order of preference; a sharded model's shards.
struct WeightFiles {
  std::vector<std::filesystem::path> files;
  json index;  // of a sharded model: name -> file
};

// The index comes from strangers: it may only name files of its own folder.
WeightFiles read_index(const std::filesystem::path& path) {
  const json whole = read_json_object(path);
  WeightFiles found;
  found.index = whole.value("weight_map", json());
  if (!found.index.is_object())
    throw_user_error(path.string() + ":weight_map", "must map tensors to files");
  std::set<std::string> names;
  for (const auto& [tensor, file] : found.index.items()) {
    const std::filesystem::path name = file.is_string() ? file.get<std::string>() : "";
    if (name.empty() || name != name.filename() || name.extension() != ".safetensors") {
      throw_user_error(path.string() + ":" + tensor,
                       file.dump() + " is no .safetensors file of this folder");
    }
    names.insert(name.string());
  }
  for (const auto& name : names) found.files.push_back(path.parent_path() / name);
  return found;
}

// LibTorch's unpickler runs no code, but it reads the OrderedDict of a state dict as None, and it
// trusts the sizes in the file: it is no way to read files from strangers.
[[noreturn]] void refuse_pickle(const std::filesystem::path& path) {
  throw_user_error(
      path.string(), "is a pickle, which is not read",
      "with Python, torch and safetensors: cd " + path.parent_path().string() +
          " && python -c \"import torch, safetensors.torch as s; s.save_file({k: v.clone() for k, "
          "v in "
          "torch.load('pytorch_model.bin', weights_only=True).items()}, 'model.safetensors')\"");
}

WeightFiles find_weights(const std::filesystem::path& folder) {
  const auto single = folder / "model.safetensors";
  if (std::filesystem::exists(single)) return {{single}, json()};
  const auto index = folder / "model.safetensors.index.json";
  if (std::filesystem::exists(index)) return read_index(index);
  const auto pickle = folder / "pytorch_model.bin";
  if (std::filesystem::exists(pickle)) refuse_pickle(pickle);
  throw_user_error(folder.string(), "holds no weights",
                   "model.safetensors, or model.safetensors.index.json with its shards");
}

void take_named(const std::filesystem::path& file, const TensorMap& tensors,
                const WeightName& own_name, TensorMap& all) {
  for (const auto& [name, tensor] : tensors) {
    const std::string own = own_name(name);
    if (own.empty()) continue;
    if (!tensor.is_floating_point())
      throw_user_error(file.string() + ":" + name, "holds no floats");
    if (!all.emplace(own, tensor.to(at::kFloat)).second) {
      throw_user_error(file.string() + ":" + name, "is there twice under different names", own);
    }
  }
}

}  // namespace

TensorMap read_weight_files(const std::filesystem::path& folder, const WeightName& own_name) {
  const WeightFiles weights = find_weights(folder);
  TensorMap all;
  for (const auto& file : weights.files) {
    const TensorMap tensors = read_safetensors(file);
    for (const auto& [name, shard] : weights.index.items()) {
      if (shard == file.filename().string() && !tensors.contains(name)) {
        throw_user_error(file.string(), "lacks " + name + ", which the index says it holds");
      }
    }
    take_named(file, tensors, own_name, all);
  }
  return all;
}

std::string model_weights_sha256(const std::filesystem::path& folder) {
  const WeightFiles weights = find_weights(folder);
  if (weights.files.size() == 1) return file_sha256(weights.files.front());
  std::string hashes;
  for (const auto& file : weights.files) hashes += file_sha256(file);
  return sha256(hashes);
}

}  // namespace kdbench
