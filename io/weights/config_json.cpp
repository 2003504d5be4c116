// SPDX-License-Identifier: MIT
#include "io/weights/config_json.h"

#include <fmt/core.h>

#include <set>

#include "io/base/json_file.h"
#include "io/base/text.h"

namespace kdbench {

using nlohmann::json;

ConfigJson::ConfigJson(const std::filesystem::path& path, Problems& problems)
    : path_(path.string()), json_(read_json_object(path)), problems_(problems) {}

void ConfigJson::problem(const std::string& key, const std::string& what, const std::string& hint) {
  problems_.add(path_ + ":" + key, what, hint);
}

json ConfigJson::find(const std::string& key) const {
  return json_.contains(key) ? json_[key] : json();
}

void ConfigJson::size(const std::string& key, int64_t& value, bool required, int64_t most) {
  number(key, value, {1, most}, required);
}

void ConfigJson::number(const std::string& key, int64_t& value, std::pair<int64_t, int64_t> range,
                        bool required) {
  const json found = find(key);
  const auto [least, most] = range;
  if (found.is_null()) {
    if (required) problem(key, "is missing");
  } else if (found.is_number_unsigned() && found.get<uint64_t>() <= static_cast<uint64_t>(most) &&
             found.get<int64_t>() >= least) {
    value = found.get<int64_t>();
  } else {
    problem(key, fmt::format("must be a whole number from {} to {}, is {}", least, most,
                             printable(found.dump())));
  }
}

void ConfigJson::real(const std::string& key, double& value, double low, double high) {
  const json found = find(key);
  if (found.is_null()) return;
  if (!found.is_number() || found.get<double>() < low || found.get<double>() >= high) {
    problem(key, "must be a number from " + json(low).dump() + " to below " + json(high).dump() +
                     ", is " + printable(found.dump()));
  } else {
    value = found.get<double>();
  }
}

void ConfigJson::only(const std::string& key, const std::string& supported) {
  const json found = find(key);
  if (!found.is_null() && found != supported)
    problem(key, printable(found.dump()) + " is not supported", "only \"" + supported + "\"");
}

std::string ConfigJson::model_type(const std::vector<std::string>& known) {
  const json found = find("model_type");
  if (found.is_null()) {
    problem("model_type", "is missing");
    return "";
  }
  for (const auto& name : known) {
    if (found == name) return name;
  }
  std::string names = quoted_list(known);
  if (const size_t comma = names.rfind(", "); comma != std::string::npos)
    names.replace(comma, 2, " and ");
  problem("model_type", printable(found.dump()) + " is not supported", names + " are");
  return "";
}

std::vector<std::string> ConfigJson::labels() {
  const json table = find("id2label");
  if (table.is_null()) return {};
  if (!table.is_object()) {
    problem("id2label", "must map \"0\", \"1\", ... to names");
    return {};
  }
  std::vector<std::string> names;
  bool generic = true;
  for (size_t i = 0; i < table.size(); ++i) {
    const auto found = table.find(std::to_string(i));
    if (found == table.end() || !found->is_string()) {
      problem("id2label", "has no name for " + std::to_string(i));
      return {};
    }
    names.push_back(*found);
    generic = generic && names.back() == "LABEL_" + std::to_string(i);
  }
  if (std::set<std::string>(names.begin(), names.end()).size() != names.size()) {
    problem("id2label", "holds a name twice");
  }
  return generic ? std::vector<std::string>{} : names;
}

void write_labels(const std::vector<std::string>& labels, json& config) {
  const std::vector<std::string> names =
      labels.empty() ? std::vector<std::string>{"LABEL_0"} : labels;
  config["id2label"] = config["label2id"] = json::object();
  for (size_t i = 0; i < names.size(); ++i) {
    config["id2label"][std::to_string(i)] = names[i];
    config["label2id"][names[i]] = i;
  }
}

}  // namespace kdbench
