// SPDX-License-Identifier: MIT
#include "reports/run_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "reports/run_fields.h"

namespace kdbench {
namespace {

using nlohmann::json;

std::string value_of(const Settings& settings, const std::string& path) {
  const auto it = settings.find(path);
  return it == settings.end() ? "-" : it->second;
}

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// "epochs", "teacher.epochs"
std::string name_of(const std::string& path) {
  for (const std::string role : {"teacher", "assistant"}) {
    if (path.starts_with("/" + role + "/")) return role + "." + last_part(path);
  }
  return last_part(path);
}

void add_settings(const json& value, const std::string& prefix, Settings& settings) {
  if (!value.is_object()) return;
  const json flat = value.flatten();
  for (const auto& [path, leaf] : flat.items()) {
    if (last_part(path) == "seed" || path.find("/seeds") != std::string::npos) continue;
    settings[prefix + path] = leaf.is_string() ? leaf.get<std::string>() : leaf.dump();
  }
}

// The resolved [teacher] or [assistant] table, with the training keys of the run's own task.
void add_model(const json& run, const std::string& role, Settings& settings) {
  const json::json_pointer place("/config/" + role);
  if (!run.contains(place) || !run.at(place).is_object()) return;
  json model = run.at(place);
  const json train = model.value("train", json());
  if (train.is_object()) model["train"] = train.value(text_of(run, "task"), json());
  add_settings(model, "/" + role, settings);
}

std::set<std::string> differing_paths(const std::vector<Settings>& all) {
  std::set<std::string> known, paths;
  for (const auto& settings : all) {
    for (const auto& [path, value] : settings) known.insert(path);
  }
  for (const auto& path : known) {
    const std::string first = value_of(all.front(), path);
    const bool differs = std::any_of(all.begin(), all.end(), [&](const Settings& settings) {
      return value_of(settings, path) != first;
    });
    if (differs) paths.insert(path);
  }
  // The hash of the features says nothing to people where another setting tells them apart.
  if (paths.size() > 1) paths.erase("/features");
  return paths;
}

}  // namespace

Settings settings_of(const json& run) {
  Settings settings;
  add_settings(run.value("inputs", json()), "", settings);
  if (!settings.count("/features")) return {};
  for (const char* key : {"train_limit", "max_seq_length"}) {
    if (const auto value = number_at(run, std::string("data/") + key)) {
      settings[std::string("/data/") + key] = fmt::format("{}", *value);
    }
  }
  const bool begins_as_teacher = value_of(settings, "/student/init_from") == "teacher";
  if (begins_as_teacher) settings.erase("/student/weights");
  const bool assisted = settings.erase("/assistant") > 0;
  if (assisted) add_model(run, "assistant", settings);
  if (settings.erase("/teacher") > 0 || assisted || begins_as_teacher)
    add_model(run, "teacher", settings);
  return settings;
}

std::vector<std::string> names_of_differences(const std::vector<Settings>& all) {
  constexpr size_t kShown = 3, kLength = 12;  // hashes are cut
  const auto paths = differing_paths(all);
  std::vector<std::string> names;
  for (const auto& settings : all) {
    std::vector<std::string> texts;
    for (const auto& path : paths) {
      if (texts.size() == kShown) {
        texts.push_back(fmt::format("{} more", paths.size() - kShown));
        break;
      }
      const std::string value = last_part(value_of(settings, path));
      texts.push_back(name_of(path) + "=" + value.substr(0, kLength));
    }
    names.push_back(fmt::format("{}", fmt::join(texts, ", ")));
  }
  return names;
}

}  // namespace kdbench
