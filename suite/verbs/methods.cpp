// SPDX-License-Identifier: MIT
#include "suite/verbs/methods.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "methods/registry.h"
#include "reports/table.h"
#include "suite/config/option_reader.h"

namespace kdbench {
namespace {

// What a method takes from a teacher of twice the student's depth, with its default options.
std::string needs_text(const MethodEntry& entry) {
  std::map<std::string, OptionValue> defaults;
  for (const auto& spec : entry.options) defaults[spec.name] = spec.fallback;
  ModelShapes shapes;
  shapes.student.layers = 6;
  shapes.teacher.emplace().layers = 12;
  const TeacherNeeds needs = entry.make(Options(std::move(defaults)))->teacher_needs(shapes);
  std::vector<std::string> parts;
  if (needs.from_assistant) parts.push_back("an assistant that learned from it");
  if (needs.logits) parts.push_back("logits");
  if (!needs.cls_layers.empty()) parts.push_back("[CLS] states");
  if (!needs.hidden_layers.empty()) parts.push_back("states of every token");
  if (needs.memory.centroids > 0) parts.push_back("a memory of centroids");
  if (needs.trains_teacher) parts.push_back("the model itself, which learns too");
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", "));
}

std::string method_text(const MethodEntry& entry) {
  Table table;
  table.header = {"key", "takes", "default", "meaning", "default from"};
  for (const auto& spec : entry.options) {
    table.rows.push_back(
        {spec.name, expectation(spec), value_text(spec.fallback), spec.meaning, spec.source});
  }
  std::string text = fmt::format("{}: {}\nneeds from the teacher: {}\n", entry.name, entry.summary,
                                 needs_text(entry));
  return text + (table.rows.empty() ? "no keys of its own\n" : write_console(table));
}

}  // namespace

Verb methods_verb() {
  return {"methods", "Every method's keys: type, range, default, source; what it needs",
          [](CLI::App& app) -> VerbAction {
            auto name = std::make_shared<std::string>();
            app.add_option("NAME", *name, "one method only");
            return [name](const VerbContext& context) {
              context.control.on_root([&] {
                std::string text;
                if (!name->empty()) {
                  text = method_text(find_method(*name));
                } else {
                  for (const auto& entry : all_methods()) text += method_text(entry) + "\n";
                  text +=
                      "Every [[method]] also takes label, teacher_outputs, [method.train], "
                      "[method.student] and [method.grid].\n";
                }
                fmt::print("{}", text);
              });
              return ExitCode::kDone;
            };
          }};
}

}  // namespace kdbench
