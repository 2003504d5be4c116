// SPDX-License-Identifier: MIT
#include "io/weights/weight_files.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "io/base/error.h"
#include "io/base/json_file.h"
#include "io/base/look.h"
#include "io/base/sha256.h"
#include "io/base/stand_in.h"

namespace kdbench {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr const char* kWeights = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr const char* kPickle = "pytorch_model.bin";

// Forms of weights that are not read, and what they are.
constexpr std::array<std::pair<const char*, const char*>, 8> kOtherForms{
    {{kPickle, "is a pickle"},
     {"pytorch_model.bin.index.json", "names pickles"},
     {"tf_model.h5", "holds TensorFlow's weights"},
     {"tf_model.h5.index.json", "names TensorFlow's weights"},
     {"model.ckpt.index", "belongs to a TensorFlow checkpoint"},
     {"bert_model.ckpt.index", "belongs to a TensorFlow checkpoint"},
     {"flax_model.msgpack", "holds Flax's weights"},
     {"adapter_model.safetensors", "holds an adapter, which needs the model that it changes"}}};

// Files with the weights of a folder, in the order of preference; a sharded model's shards.
struct WeightFiles {
  std::vector<fs::path> files;
  json index;  // of a sharded model: name -> file
};

// The index comes from strangers: it may only name files of its own folder.
WeightFiles read_index(const fs::path& path) {
  const json whole = read_json_object(path);
  WeightFiles found;
  found.index = whole.value("weight_map", json());
  if (!found.index.is_object())
    throw_user_error(path.string() + ":weight_map", "must map tensors to files");
  std::set<std::string> names;
  for (const auto& [tensor, file] : found.index.items()) {
    const fs::path name = file.is_string() ? file.get<std::string>() : "";
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
std::string conversion(const fs::path& folder, const std::string& name) {
  const std::string begin = "with Python, torch and ";
  if (name == kPickle) {
    return begin + "safetensors: cd " + folder.string() +
           " && python -c \"import torch, safetensors.torch as s; s.save_file({k: v.clone() for k, "
           "v in torch.load('pytorch_model.bin', weights_only=True).items()}, "
           "'model.safetensors')\"";
  }
  if (name.starts_with("adapter")) return "merge it into its model with peft: merge_and_unload";
  const std::string from = name.starts_with("flax") ? "from_flax=True"
                           : name.starts_with("tf") ? "from_tf=True"
                                                    : "";
  return begin + "transformers: AutoModelForSequenceClassification.from_pretrained('" +
         folder.string() + "'" + (from.empty() ? "" : ", " + from) + ").save_pretrained('" +
         folder.string() + "')";
}

WeightFiles find_weights(const fs::path& folder) {
  if (is_there(folder / kWeights)) return {{folder / kWeights}, json()};
  if (is_there(folder / kIndex)) return read_index(folder / kIndex);
  for (const auto& [name, what] : kOtherForms) {
    if (!is_there(folder / name)) continue;
    refuse_stand_in(folder / name);
    throw_user_error((folder / name).string(), std::string(what) + ", which is not read",
                     conversion(folder, name));
  }
  throw_user_error(folder.string(), "holds no weights",
                   "model.safetensors, or model.safetensors.index.json with its shards");
}

}  // namespace

TensorMap read_weight_files(const fs::path& folder) {
  const WeightFiles weights = find_weights(folder);
  TensorMap all;
  for (const auto& file : weights.files) {
    const TensorMap tensors = read_safetensors(file);
    for (const auto& [name, shard] : weights.index.items()) {
      if (shard == file.filename().string() && !tensors.contains(name)) {
        throw_user_error(file.string(), "lacks " + name + ", which the index says it holds");
      }
    }
    for (const auto& [name, tensor] : tensors) {
      const bool floats = tensor.is_floating_point();
      if (!all.emplace(name, floats ? tensor.to(at::kFloat) : tensor).second)
        throw_user_error(file.string() + ":" + name, "is in another shard already");
    }
  }
  return all;
}

void check_weight_files(const fs::path& folder) { find_weights(folder); }

std::string model_weights_sha256(const fs::path& folder) {
  const WeightFiles weights = find_weights(folder);
  if (weights.files.size() == 1) return file_sha256(weights.files.front());
  std::string hashes;
  for (const auto& file : weights.files) hashes += file_sha256(file);
  return sha256(hashes);
}

std::vector<std::string> unused_weight_files(const fs::path& folder) {
  std::vector<std::string> unused;
  if (is_there(folder / kWeights) && is_there(folder / kIndex)) unused.emplace_back(kIndex);
  for (const auto& [name, what] : kOtherForms) {
    if (is_there(folder / name)) unused.emplace_back(name);
  }
  return unused;
}

}  // namespace kdbench
