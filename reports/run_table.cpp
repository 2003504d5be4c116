// SPDX-License-Identifier: MIT
#include "reports/run_table.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "reports/fields.h"
#include "reports/run_fields.h"

namespace kdbench {
namespace {

using nlohmann::json;

using RunField = Field<json>;

RunField text(Column column, const std::string& path) {
  return {std::move(column), [path](const json& run) { return Cell(text_of(run, path)); }};
}

RunField number(Column column, const std::string& path) {
  return {std::move(column), [path](const json& run) { return Cell(number_at(run, path)); }};
}

// Whether the program was built from the commit as it is.
std::string clean_of(const json& run) {
  const auto clean = flag_at(run, "git/clean");
  if (!clean) return "";
  return *clean ? "true" : "false";
}

// For programs only, named `name`.
Column data(const std::string& name) { return {name, name, {}, Show::kData}; }

void add_metrics(std::vector<RunField>& fields, const std::vector<json>& runs) {
  for (const std::string checkpoint : {"last", "best", "teacher_last", "teacher_best"}) {
    std::set<std::string> metrics;
    for (const auto& run : runs) {
      for (const auto& [metric, value] : metrics_of(run, checkpoint)) metrics.insert(metric);
    }
    std::string words = checkpoint;  // "teacher last"
    std::replace(words.begin(), words.end(), '_', ' ');
    for (const auto& metric : metrics) {
      fields.push_back({{words + " " + metric, field_name(words + " " + metric), {.digits = 3}},
                        [checkpoint, metric](const json& run) {
                          const auto values = metrics_of(run, checkpoint);
                          const auto it = values.find(metric);
                          return it == values.end() ? Cell() : Cell(it->second);
                        }});
    }
  }
  fields.push_back(number(data("best_epoch"), "metrics/best_epoch"));
  const std::string other = "metrics/teacher_best_epoch";
  const bool learned_beside = std::any_of(
      runs.begin(), runs.end(), [&](const json& run) { return number_at(run, other).has_value(); });
  if (learned_beside) fields.push_back(number(data("teacher_best_epoch"), other));
}

const std::vector<RunField>& identity() {
  static const std::vector<RunField> fields{
      text({"run", "run_id"}, "run_id"),
      text(data("folder"), "folder"),
      {data("task"), [](auto& run) { return shown_task(run); }},
      text(data("label"), "label"),
      text(data("method"), "method"),
      text(data("role"), "role"),
      {{"seed", "seed"},
       [](auto& run) {
         const auto seed = seed_of(run);
         return seed ? Cell(std::to_string(*seed)) : Cell();
       }},
      text("status", "status"),
      text(data("reason"), "reason"),
      text(data("checkpoint"), "checkpoint")};
  return fields;
}

const std::vector<RunField>& costs() {
  static const std::vector<RunField> fields{
      number(data("parameters"), "parameters"),
      number({"epochs", "epochs"}, "epochs"),
      number({"steps", "steps"}, "steps"),
      number(data("samples"), "samples"),
      number(data("init_s"), "time/init_s"),
      number({"train s", "train_s", {.digits = 1}}, "time/train_s"),
      number({"core s", "core_s", {.digits = 1}}, "time/core_s"),
      number(data("compute_s"), "time/compute_s"),
      number(data("wait_s"), "time/wait_s"),
      number({"comm s", "comm_exposed_s", {.digits = 1}}, "time/comm_exposed_s"),
      number(data("data_s"), "time/data_s"),
      number({"eval s", "eval_s", {.digits = 1}}, "time/eval_s"),
      number(data("predict_s"), "time/predict_s"),
      number({"samples/s", "samples_per_s_global", {.digits = 1}},
             "throughput/samples_per_s_global"),
      number({"tokens/s", "tokens_per_s_global", {.digits = 0}}, "throughput/tokens_per_s_global"),
      number({"model GFLOP/s", "model_flops_per_s_global", {.digits = 1, .scale = 1e9}},
             "throughput/model_flops_per_s_global"),
      number({"predictions/s", "predicted_samples_per_s_global", {.digits = 1}},
             "throughput/predicted_samples_per_s_global"),
      number({"peak GB", "peak_memory_bytes", {.digits = 2, .scale = 1e9}}, "peak_memory_bytes")};
  return fields;
}

const std::vector<RunField>& origin() {
  static const std::vector<RunField> fields{
      number(data("ranks"), "system/ranks"),
      number(data("threads_per_rank"), "system/threads_per_rank"),
      {data("machine"), [](auto& run) { return machine_of(run); }},
      {data("cpus_of_others"), [](auto& run) { return Cell(cpus_of_others(run)); }},
      text(data("git_commit"), "git/commit"),
      {data("git_clean"), [](auto& run) { return clean_of(run); }},
      text(data("config_hash"), "config_hash"),
      text(data("teacher_checkpoint"), "teacher/checkpoint"),
      text(data("started_utc"), "started"),
      text(data("ended_utc"), "ended")};
  return fields;
}

}  // namespace

Table run_table(const std::vector<json>& runs) {
  std::vector<RunField> fields{text(experiment_column(runs), "experiment")};
  fields.insert(fields.end(), identity().begin(), identity().end());
  add_metrics(fields, runs);
  for (const auto* part : {&costs(), &origin()}) {
    fields.insert(fields.end(), part->begin(), part->end());
  }
  Table table = table_of(fields, runs);
  table.notes = {
      "comm s: waiting for gradients, not hidden behind other work; model GFLOP/s: 3 x forward of "
      "real tokens, without embeddings; peak GB: the rank with most."};
  hide_empty_columns(table);
  return table;
}

Table not_done_table(const std::vector<json>& runs) {
  const std::vector<RunField> fields{text(experiment_column(runs), "experiment"),
                                     text("run", "run_id"), text("status", "status"),
                                     text("reason", "reason")};
  std::vector<json> not_done;
  std::copy_if(runs.begin(), runs.end(), std::back_inserter(not_done),
               [](const json& run) { return !is_done(run); });
  Table table = table_of(fields, not_done);
  table.title = "Not done";
  return table;
}

}  // namespace kdbench
