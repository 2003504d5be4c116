// SPDX-License-Identifier: MIT
#include "reports/language_models.h"

#include <algorithm>
#include <iterator>

#include "reports/fields.h"
#include "reports/run_fields.h"

namespace kdbench {
namespace {

using nlohmann::json;
using RunField = Field<json>;

RunField score(const char* title, const std::string& metric) {
  return {{title, metric, {.digits = 3}}, [metric](const json& run) {
            const auto values = metrics_of(run);
            const auto found = values.find(metric);
            return found == values.end() ? Cell() : Cell(found->second);
          }};
}

RunField number(Column column, const std::string& path) {
  return {std::move(column), [path](const json& run) { return Cell(number_at(run, path)); }};
}

}  // namespace

Table language_model_table(const std::vector<json>& runs) {
  const std::vector<RunField> fields{
      {experiment_column(runs), [](const json& run) { return Cell(text_of(run, "experiment")); }},
      {{"task", "task"}, [](const json& run) { return Cell(shown_task(run)); }},
      score("perplexity", "perplexity"),
      score("bits/character", "bits_per_character"),
      number({"params (M)", "parameters", {.digits = 2, .scale = 1e6}}, "parameters"),
      number({"epochs", "epochs"}, "epochs"),
      number({"train s", "train_s", {.digits = 1}}, "time/train_s"),
      number({"tokens/s", "tokens_per_s_global", {.digits = 0}}, "throughput/tokens_per_s_global")};
  std::vector<json> models;
  std::copy_if(runs.begin(), runs.end(), std::back_inserter(models),
               [](const json& run) { return is_language_model(run) && is_done(run); });
  Table table = table_of(fields, models);
  table.title = "Language models";
  if (!models.empty())
    table.notes = {
        "Language models that write transfer sets: perplexity of an id of the dev texts, of a "
        "masked one of the ids that were masked."};
  return table;
}

}  // namespace kdbench
