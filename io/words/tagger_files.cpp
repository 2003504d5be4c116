// SPDX-License-Identifier: MIT
// A tagger's model as JSON and in files, which are NLTK's.
#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "io/base/error.h"
#include "io/base/look.h"
#include "io/base/partial_file.h"
#include "io/base/stand_in.h"
#include "io/base/text.h"
#include "io/words/tagger.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 3> kParts{"classes", "tagdict", "weights"};

// Numbers of classes by their names.
class Classes {
 public:
  Classes(const std::vector<std::string>& classes, std::string where)
      : classes_(classes), where_(std::move(where)) {}

  int32_t number(const std::string& name) const {
    const auto found = std::lower_bound(classes_.begin(), classes_.end(), name);
    if (found == classes_.end() || *found != name)
      throw_user_error(where_, "the tag '" + printable(name) + "' is none of its classes");
    return static_cast<int32_t>(found - classes_.begin());
  }

 private:
  const std::vector<std::string>& classes_;
  const std::string where_;
};

TaggerModel::Weights weights_of(const nlohmann::json& json, const Classes& classes,
                                const std::string& where) {
  TaggerModel::Weights weights;
  for (const auto& [tag, weight] : json.get_ref<const nlohmann::json::object_t&>()) {
    weights.emplace_back(classes.number(tag), weight.get<double>());
    if (!std::isfinite(weights.back().second))
      throw_user_error(where, "a weight is no finite number");
  }
  return weights;
}

// The one file of `folder` whose name ends with .PART.json.
fs::path part_file(const fs::path& folder, const std::string& part) {
  std::vector<fs::path> found;
  for (const auto& file : entries_of(folder)) {
    if (file.string().ends_with("." + part + ".json")) found.push_back(file);
  }
  if (found.size() == 1) return found.front();
  throw_user_error(
      folder.string(),
      std::string("has ") + (found.empty() ? "no" : "more than one") + " file *." + part + ".json",
      "a tagger is NAME.classes.json, NAME.tagdict.json and NAME.weights.json");
}

nlohmann::json read_part(const fs::path& file) {
  refuse_stand_in(file);
  try {
    return nlohmann::json::parse(read_text_file(file));
  } catch (const nlohmann::json::exception&) {
    throw_user_error(file.string(), "is no JSON");
  }
}

}  // namespace

nlohmann::json to_json(const TaggerModel& model) {
  const auto name = [&](int32_t tag) { return model.classes[static_cast<size_t>(tag)]; };
  nlohmann::json certain = nlohmann::json::object(), weights = nlohmann::json::object();
  for (const auto& [word, tag] : model.certain) certain[word] = name(tag);
  for (const auto& [feature, by_tag] : model.weights) {
    nlohmann::json& one = weights[feature] = nlohmann::json::object();
    for (const auto& [tag, weight] : by_tag) one[name(tag)] = weight;
  }
  return {{"classes", model.classes}, {"tagdict", certain}, {"weights", weights}};
}

TaggerModel tagger_of_json(const nlohmann::json& json, const std::string& where) {
  TaggerModel model;
  try {
    json.at("classes").get_to(model.classes);
    std::sort(model.classes.begin(), model.classes.end());
    const auto& names = model.classes;
    if (names.empty() || std::adjacent_find(names.begin(), names.end()) != names.end())
      throw_user_error(where, "its classes are none, or one of them stands there twice");
    const Classes classes(names, where);
    for (const auto& [word, tag] : json.at("tagdict").get_ref<const nlohmann::json::object_t&>())
      model.certain[word] = classes.number(tag.get<std::string>());
    for (const auto& [feature, by_tag] :
         json.at("weights").get_ref<const nlohmann::json::object_t&>())
      model.weights[feature] = weights_of(by_tag, classes, where);
  } catch (const nlohmann::json::exception&) {
    throw_user_error(where, "is no tagger's model",
                     "classes are a list of tags, tagdict {word: tag}, weights {feature: {tag: "
                     "number}}");
  }
  return model;
}

TaggerModel read_tagger(const fs::path& folder) {
  if (!is_folder(folder))
    throw_user_error(folder.string(), "is no folder",
                     "a tagger is a folder with classes, tagdict and weights, as NLTK's "
                     "averaged_perceptron_tagger_eng");
  nlohmann::json json;
  Problems problems;
  for (const char* part : kParts)
    problems.collect([&] { json[part] = read_part(part_file(folder, part)); });
  problems.throw_if_any(folder.string());
  return tagger_of_json(json, folder.string());
}

void write_tagger(const TaggerModel& model, const fs::path& folder) {
  const fs::path place = plain_path(folder), partial = partial_path(place);
  std::error_code failed;
  fs::remove_all(partial, failed);
  make_folder_of(partial / "tagger");
  const nlohmann::json json = to_json(model);
  for (const char* part : kParts) {
    const std::string text = json.at(part).dump() + "\n";
    write_file(partial / ("tagger." + std::string(part) + ".json"), text);
  }
  fs::rename(partial, place, failed);
  if (failed) throw_machine_error(place.string(), "cannot be put in place: " + failed.message());
}

}  // namespace kdbench
