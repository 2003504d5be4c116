// SPDX-License-Identifier: MIT
#include "io/weights/huggingface.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "io/base/error.h"
#include "io/base/json_file.h"
#include "io/base/sha256.h"
#include "io/base/text.h"
#include "io/weights/model_limits.h"

namespace kdbench {
namespace {

using nlohmann::json;

// ---- config.json

// Takes keys of a config.json, collecting what is wrong with them.
class ConfigReader {
 public:
  ConfigReader(const std::filesystem::path& path, Problems& problems)
      : path_(path.string()), json_(read_json_object(path)), problems_(problems) {}

  void add(const std::string& key, const std::string& what, const std::string& hint = "") {
    problems_.add(path_ + ":" + key, what, hint);
  }
  // Absent and null are the same. A null value is returned then.
  json find(const std::string& key) const { return json_.contains(key) ? json_[key] : json(); }

  // A size of 1 or more. Left as it is when absent, unless it must be there.
  void size(const std::string& key, int64_t& value, bool required, int64_t most = kLargestSize) {
    number(key, value, {1, most}, required);
  }
  void number(const std::string& key, int64_t& value, std::pair<int64_t, int64_t> range,
              bool required) {
    const json found = find(key);
    const auto [least, most] = range;
    if (found.is_null()) {
      if (required) add(key, "is missing");
    } else if (found.is_number_unsigned() && found.get<uint64_t>() <= static_cast<uint64_t>(most) &&
               found.get<int64_t>() >= least) {
      value = found.get<int64_t>();
    } else {
      add(key, fmt::format("must be a whole number from {} to {}, is {}", least, most,
                           printable(found.dump())));
    }
  }
  // In [low, high).
  void real(const std::string& key, double& value, double low, double high) {
    const json found = find(key);
    if (found.is_null()) return;
    if (!found.is_number() || found.get<double>() < low || found.get<double>() >= high) {
      add(key, "must be a number from " + json(low).dump() + " to below " + json(high).dump() +
                   ", is " + printable(found.dump()));
    } else {
      value = found.get<double>();
    }
  }
  // A word of which only one value is supported.
  void only(const std::string& key, const std::string& supported) {
    const json found = find(key);
    if (!found.is_null() && found != supported)
      add(key, printable(found.dump()) + " is not supported", "only \"" + supported + "\"");
  }
  void model_type(std::string& value) {
    const json found = find("model_type");
    if (found.is_null()) return add("model_type", "is missing");
    if (found == "bert" || found == "roberta") {
      value = found;
    } else {
      add("model_type", printable(found.dump()) + " is not supported",
          "\"bert\" and \"roberta\" are");
    }
  }

  std::vector<std::string> labels();

 private:
  std::string path_;
  json json_;
  Problems& problems_;
};

// id2label in order; empty when absent or when the names are only LABEL_0, LABEL_1, ...
std::vector<std::string> ConfigReader::labels() {
  const json table = find("id2label");
  if (table.is_null()) return {};
  if (!table.is_object()) {
    add("id2label", "must map \"0\", \"1\", ... to names");
    return {};
  }
  std::vector<std::string> names;
  bool generic = true;
  for (size_t i = 0; i < table.size(); ++i) {
    const auto found = table.find(std::to_string(i));
    if (found == table.end() || !found->is_string()) {
      add("id2label", "has no name for " + std::to_string(i));
      return {};
    }
    names.push_back(*found);
    generic = generic && names.back() == "LABEL_" + std::to_string(i);
  }
  if (std::set<std::string>(names.begin(), names.end()).size() != names.size()) {
    add("id2label", "holds a name twice");
  }
  return generic ? std::vector<std::string>{} : names;
}

// ---- weights

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

bool replace_end(std::string& name, const std::string& old_end, const std::string& new_end) {
  if (!name.ends_with(old_end)) return false;
  name.replace(name.size() - old_end.size(), old_end.size(), new_end);
  return true;
}

// "" for what is no weight.
std::string normal_name(std::string name) {
  for (const std::string_view prefix : {"bert.", "roberta."}) {
    if (!name.starts_with(prefix)) continue;
    name.erase(0, prefix.size());
    break;
  }
  if (name == "position_ids" || name.ends_with(".position_ids")) return "";
  replace_end(name, "LayerNorm.gamma", "LayerNorm.weight") ||
      replace_end(name, "LayerNorm.beta", "LayerNorm.bias");
  return name;
}

void take_normalised(const std::filesystem::path& file, const TensorMap& tensors, TensorMap& all) {
  for (const auto& [name, tensor] : tensors) {
    const std::string normal = normal_name(name);
    if (normal.empty()) continue;
    if (!tensor.is_floating_point())
      throw_user_error(file.string() + ":" + name, "holds no floats");
    if (!all.emplace(normal, tensor.to(at::kFloat)).second) {
      throw_user_error(file.string() + ":" + name, "is there twice under different names", normal);
    }
  }
}

}  // namespace

ModelConfig read_model_config(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "config.json";
  Problems problems;
  ConfigReader reader(path, problems);
  ModelConfig config;
  reader.model_type(config.architecture);
  // What transformers takes where the key is absent; its other values are BERT's.
  if (config.architecture == "roberta") config.pad_token_id = 1;
  reader.only("hidden_act", "gelu");
  reader.only("position_embedding_type", "absolute");
  reader.size("vocab_size", config.vocabulary, true);
  reader.size("num_hidden_layers", config.layers, true, kMostLayers);
  reader.size("hidden_size", config.hidden, true);
  reader.size("num_attention_heads", config.heads, true);
  reader.size("intermediate_size", config.intermediate, true);
  reader.size("max_position_embeddings", config.max_positions, false);
  reader.size("type_vocab_size", config.token_types, false);
  reader.number("pad_token_id", config.pad_token_id, {0, kLargestSize}, false);
  reader.real("layer_norm_eps", config.layer_norm_eps, 0, 1);
  reader.real("hidden_dropout_prob", config.hidden_dropout, 0, 1);
  reader.real("attention_probs_dropout_prob", config.attention_dropout, 0, 1);
  reader.real("initializer_range", config.initializer_range, 0, 1e3);
  config.classifier_dropout = config.hidden_dropout;
  reader.real("classifier_dropout", config.classifier_dropout, 0, 1);
  if (config.longest_row() <= 0) {
    reader.add("max_position_embeddings", "must be more than pad_token_id + 1");
  }
  if (config.heads > 0 && config.hidden % config.heads != 0) {
    reader.add("num_attention_heads", "must divide hidden_size");
  }
  config.labels = reader.labels();
  problems.throw_if_any(path.string());
  return config;
}

json to_config_json(const ModelConfig& config) {
  json out = {{"model_type", config.architecture},
              {"vocab_size", config.vocabulary},
              {"hidden_size", config.hidden},
              {"num_hidden_layers", config.layers},
              {"num_attention_heads", config.heads},
              {"intermediate_size", config.intermediate},
              {"hidden_act", config.activation},
              {"max_position_embeddings", config.max_positions},
              {"type_vocab_size", config.token_types},
              {"layer_norm_eps", config.layer_norm_eps},
              {"hidden_dropout_prob", config.hidden_dropout},
              {"attention_probs_dropout_prob", config.attention_dropout},
              {"classifier_dropout", config.classifier_dropout},
              {"initializer_range", config.initializer_range},
              {"pad_token_id", config.pad_token_id},
              {"position_embedding_type", "absolute"}};
  if (config.architecture == "bert") out["architectures"] = {"BertForSequenceClassification"};
  if (config.architecture == "roberta") {
    out["architectures"] = {"RobertaForSequenceClassification"};
    out["bos_token_id"] = 0;
    out["eos_token_id"] = 2;
  }
  // Without names one output is meant: a score.
  const std::vector<std::string> labels =
      config.labels.empty() ? std::vector<std::string>{"LABEL_0"} : config.labels;
  out["id2label"] = out["label2id"] = json::object();
  for (size_t i = 0; i < labels.size(); ++i) {
    out["id2label"][std::to_string(i)] = labels[i];
    out["label2id"][labels[i]] = i;
  }
  return out;
}

TensorMap read_model_weights(const std::filesystem::path& folder) {
  const WeightFiles weights = find_weights(folder);
  TensorMap all;
  for (const auto& file : weights.files) {
    const TensorMap tensors = read_safetensors(file);
    for (const auto& [name, shard] : weights.index.items()) {
      if (shard == file.filename().string() && !tensors.contains(name)) {
        throw_user_error(file.string(), "lacks " + name + ", which the index says it holds");
      }
    }
    take_normalised(file, tensors, all);
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
