// SPDX-License-Identifier: MIT
#include "methods/models/initialization.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "io/base/error.h"
#include "io/base/text.h"
#include "methods/models/checkpoint.h"
#include "methods/models/registry.h"

namespace kdbench {
namespace {

constexpr int64_t kMostPadding = 1024;  // rows that round an embedding up to a handy number

// source layer -> the model's layer.
std::map<int64_t, int64_t> layer_map(int64_t source_layers, int64_t layers,
                                     const std::string& init) {
  const std::string depths =
      std::to_string(layers) + " layers from " + std::to_string(source_layers);
  int64_t stride = 1;
  if (init == "weights") {
    if (layers != source_layers) {
      throw_user_error("init", "\"weights\" needs equal depths, not " + depths,
                       "use \"first-layers\" or \"skip-layers\"");
    }
  } else if (init == "skip-layers") {
    if (source_layers % layers != 0) {
      throw_user_error("init", "\"skip-layers\" cannot take " + depths,
                       "the depths must divide; use \"first-layers\"");
    }
    stride = source_layers / layers;
  } else if (init == "first-layers") {
    if (layers > source_layers) throw_user_error("init", "cannot take " + depths);
  } else {
    throw_user_error("init", "\"" + init + "\" is not known",
                     "weights, first-layers, skip-layers or random");
  }
  std::map<int64_t, int64_t> map;
  for (int64_t layer = 0; layer < layers; ++layer) map[(layer + 1) * stride - 1] = layer;
  return map;
}

// The layer's number in "<before><number>.<rest>" and the rest, or -1.
int64_t layer_of(std::string_view name, const std::string& before, std::string_view* rest) {
  if (!name.starts_with(before)) return -1;
  name.remove_prefix(before.size());
  int64_t layer = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), layer);
  if (error != std::errc() || end == name.data() + name.size() || *end != '.') return -1;
  *rest = name.substr(end - name.data());
  return layer;
}

std::vector<std::string> lower(std::vector<std::string> names) {
  for (auto& name : names) name = ascii_lower(std::move(name));
  return names;
}

// Brings the rows of the source's classifier from the order of `names`, its labels, to the model's.
void order_labels(TensorMap& source, const std::vector<std::string>& names, const Model& model) {
  const auto own = lower(names), labels = lower(model.config().labels);
  if (own == labels || !std::is_permutation(own.begin(), own.end(), labels.begin(), labels.end()))
    return;
  std::vector<int64_t> rows;
  for (const auto& label : labels)
    rows.push_back(std::find(own.begin(), own.end(), label) - own.begin());
  for (const char* kind : {".weight", ".bias"}) {
    const auto found = source.find(model.classifier() + kind);
    if (found == source.end() || found->second.dim() == 0 ||
        found->second.size(0) != static_cast<int64_t>(rows.size()))
      continue;  // refused when it is loaded
    found->second = found->second.index_select(0, at::tensor(rows, at::kLong));
  }
}

// `source` with the layers of `map` alone, under their new numbers; `before`: what the names of
// layers begin with.
TensorMap select_layers(const TensorMap& source, const std::map<int64_t, int64_t>& map,
                        const std::string& before) {
  TensorMap selected;
  for (const auto& [name, tensor] : source) {
    std::string_view rest;
    const int64_t layer = layer_of(name, before, &rest);
    if (layer < 0) {
      selected[name] = tensor;
    } else if (const auto it = map.find(layer); it != map.end()) {
      selected[before + std::to_string(it->second) + std::string(rest)] = tensor;
    }
  }
  return selected;
}

// Takes the classifier of another task out of `tensors`, known by its number of outputs, and
// returns that; 0 when there is none.
int64_t drop_other_head(TensorMap& tensors, const Model& model) {
  if (model.classifier().empty()) return 0;
  const auto bias = tensors.find(model.classifier() + ".bias");
  if (bias == tensors.end() || bias->second.dim() != 1 || bias->second.size(0) == model.outputs())
    return 0;
  const int64_t outputs = bias->second.size(0);
  tensors.erase(bias);
  tensors.erase(model.classifier() + ".weight");
  return outputs;
}

void check_complete(const std::vector<std::string>& missing, const CheckpointNames& names,
                    const TensorMap& source, const std::string& where) {
  std::vector<std::string> needed, found;
  for (const auto& name : missing) {
    if (names.must_be_there(name)) needed.push_back(name);
  }
  if (needed.empty()) return;
  for (const auto& [name, tensor] : source) found.push_back(name);
  throw_user_error(where, "tensors that the model needs are missing: " + first_few(needed),
                   found.empty() ? "the file is empty" : "there are " + first_few(found));
}

}  // namespace

void check_depths(int64_t source_layers, int64_t layers, const std::string& init) {
  if (init != "random") layer_map(source_layers, layers, init);
}

LoadReport initialize_student(Model& model, const TensorMap& source, int64_t source_layers,
                              const std::string& init, const std::string& where, bool trained) {
  if (init == "random") return {};
  const CheckpointNames& names = find_architecture(model.config().architecture).names;
  const auto map = layer_map(source_layers, model.config().layers, init);
  TensorMap wanted = select_layers(source, map, names.layer);
  const int64_t outputs = trained ? drop_other_head(wanted, model) : 0;
  LoadReport report = load_parameters(model.parameters(), wanted, where);
  check_complete(report.missing, names, source, where);
  if (outputs > 0) {
    report.notes.push_back("its classifier has " + std::to_string(outputs) + " outputs, the task " +
                           std::to_string(model.outputs()) + ": it is not used");
  }
  return report;
}

LoadReport initialize_from_checkpoint(Model& model, const std::filesystem::path& folder,
                                      const std::string& init, bool trained) {
  if (init == "random") return {};
  const ModelConfig config = read_model_config(folder);
  std::vector<std::string> notes;
  TensorMap source = read_checkpoint(folder, model.config().architecture, &notes);
  order_labels(source, config.labels, model);
  LoadReport report =
      initialize_student(model, source, config.layers, init, folder.string(), trained);
  report.notes.insert(report.notes.begin(), notes.begin(), notes.end());
  return report;
}

void check_vocabulary(const std::filesystem::path& folder, int64_t entries,
                      const ModelConfig& config) {
  const int64_t padding = config.vocabulary - entries;
  if (padding >= 0 && padding < kMostPadding && padding <= entries) return;
  throw_user_error(folder.string(),
                   "its vocabulary has " + std::to_string(entries) +
                       " entries, the model's embedding " + std::to_string(config.vocabulary) +
                       " rows",
                   "the vocabulary is another model's");
}

}  // namespace kdbench
