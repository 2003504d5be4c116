// SPDX-License-Identifier: MIT
#include "suite/config/experiment_keys.h"
#include "suite/verbs/keys_text.h"
#include "suite/verbs/registry.h"

namespace kdbench {
namespace {

std::string all_tables() {
  std::string text;
  for (const auto& table : experiment_tables()) text += table_text(table.name) + "\n";
  return text + "Keys of a method: kdbench methods NAME\n";
}

nlohmann::json tables_json(const std::string& name) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& table : experiment_tables()) {
    if (!name.empty() && name != table.name) continue;
    list.push_back({{"name", table.name},
                    {"heading", table.heading},
                    {"meaning", table.meaning},
                    {"keys", keys_json(table.keys)}});
  }
  return list;
}

}  // namespace

Verb keys_verb() {
  return {"keys", "The keys of an experiment file by table: what each takes, default, meaning",
          [](CLI::App& app) -> VerbAction {
            auto name = std::make_shared<std::string>();
            app.add_option("TABLE", *name, "one table only: data, task, teacher, train, ...");
            return [name](const VerbContext& context) {
              context.control.on_root([&] {
                context.answer.text(name->empty() ? all_tables() : table_text(*name));
                context.answer.data["tables"] = tables_json(*name);
              });
              return ExitCode::kDone;
            };
          },
          /*alone=*/true};
}

}  // namespace kdbench
