// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "methods/models/registry.h"
#include "methods/registry.h"
#include "suite/config/experiment_keys.h"
#include "suite/verbs/keys_text.h"
#include "suite/verbs/registry.h"

namespace kdbench {
namespace {

// What a method takes from a teacher of twice the student's depth, with its default options.
std::vector<std::string> needs_of(const MethodEntry& entry) {
  std::map<std::string, OptionValue> defaults;
  for (const auto& spec : entry.options) {
    if (spec.absent.empty()) defaults[spec.name] = spec.fallback;
  }
  ModelShapes shapes;
  shapes.student.layers = 6;
  shapes.teacher.emplace().layers = 12;
  const TeacherNeeds needs = entry.make(Options(std::move(defaults)))->teacher_needs(shapes);
  std::vector<std::string> parts;
  if (needs.from_assistant) parts.push_back("an assistant that learned from it");
  if (needs.logits) parts.push_back("logits");
  if (!needs.cls_layers.empty()) parts.push_back("[CLS] states");
  if (!needs.hidden_layers.empty()) parts.push_back("states of every token");
  if (needs.feature_memory.centroids > 0) parts.push_back("a memory of centroids");
  if (needs.trains_teacher) parts.push_back("the model itself, which learns too");
  return parts;
}

std::string needs_text(const MethodEntry& entry) {
  const auto parts = needs_of(entry);
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", "));
}

std::string method_text(const MethodEntry& entry) {
  const std::string text = fmt::format("{}: {}\nneeds from the teacher: {}\n", entry.name,
                                       entry.summary, needs_text(entry));
  return text + (entry.options.empty() ? "no keys of its own\n" : keys_text(entry.options));
}

nlohmann::json method_json(const MethodEntry& entry) {
  return {{"name", entry.name},
          {"summary", entry.summary},
          {"needs", needs_of(entry)},
          {"keys", keys_json(entry.options)}};
}

std::vector<std::string> presets_of(const Architecture& architecture) {
  std::vector<std::string> presets;
  for (const auto& preset : architecture.presets) presets.push_back(preset.name);
  return presets;
}

std::vector<OptionSpec> keys_of(const Architecture& architecture) {
  std::vector<OptionSpec> keys = specs_of(architecture.sizes);
  for (const auto& key : architecture.choices) keys.push_back(key.spec);
  return keys;
}

std::string architecture_text(const Architecture& architecture) {
  return fmt::format("{}: {}\npresets: {}\n{}", architecture.name, architecture.summary,
                     fmt::join(presets_of(architecture), ", "), keys_text(keys_of(architecture)));
}

nlohmann::json architecture_json(const Architecture& architecture) {
  return {{"name", architecture.name},
          {"summary", architecture.summary},
          {"presets", presets_of(architecture)},
          {"keys", keys_json(keys_of(architecture))}};
}

std::string all_text() {
  std::string text;
  for (const auto& entry : all_methods()) text += method_text(entry) + "\n";
  return text + fmt::format(
                    "What every [[method]] takes beside, and all other tables of an experiment "
                    "file: kdbench keys.\nSizes of models without weights: kdbench methods {}.\n",
                    fmt::join(architecture_names(), " | "));
}

bool is_architecture(const std::string& name) {
  const auto names = architecture_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string text_of(const std::string& name) {
  if (name.empty()) return all_text();
  if (name == "train") return table_text("train");
  return is_architecture(name) ? architecture_text(find_architecture(name))
                               : method_text(find_method(name));
}

// The same layout whether all are asked for or one.
nlohmann::json json_of(const std::string& name) {
  nlohmann::json json = nlohmann::json::object();
  if (name.empty() || name == "train") {
    for (const auto& table : experiment_tables()) {
      if (table.name == "train") json["train"] = keys_json(table.keys);
    }
  }
  for (const auto& entry : all_methods()) {
    if (name.empty() || name == entry.name) json["methods"].push_back(method_json(entry));
  }
  for (const auto& architecture : architecture_names()) {
    if (name.empty() || name == architecture)
      json["architectures"].push_back(architecture_json(find_architecture(architecture)));
  }
  return json;
}

}  // namespace

Verb methods_verb() {
  return {"methods", "Every method's keys: type, range, default, source; what it needs",
          [](CLI::App& app) -> VerbAction {
            auto name = std::make_shared<std::string>();
            app.add_option(
                "NAME", *name,
                "one method only; train: the keys of [train]; an architecture: its sizes");
            return [name](const VerbContext& context) {
              context.control.on_root([&] {
                context.answer.text(text_of(*name));
                context.answer.data.update(json_of(*name));
              });
              return ExitCode::kDone;
            };
          },
          /*alone=*/true};
}

}  // namespace kdbench
