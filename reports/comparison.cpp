// SPDX-License-Identifier: MIT
#include "reports/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reports/fields.h"
#include "reports/run_group.h"
#include "reports/run_table.h"
#include "reports/statistics.h"

namespace kdbench {
namespace {

using nlohmann::json;
using Groups = std::vector<RunGroup>;
using GroupField = Field<RunGroup>;

// "2 (1 failed)".
Cell count_cell(const RunGroup& group) {
  std::string text = std::to_string(group.done.size()), others;
  if (group.failed) others += fmt::format("{} failed", group.failed);
  if (group.stopped)
    others += fmt::format("{}{} stopped", others.empty() ? "" : ", ", group.stopped);
  if (!others.empty()) text += " (" + others + ")";
  return {static_cast<double>(group.done.size()), text};
}

Cell metric_cell(const RunGroup& group, const std::string& metric) {
  const auto values = group.metric(metric);
  return values.empty() ? Cell() : Cell(mean(values), standard_deviation(values));
}

std::optional<double> prediction_rate(const RunGroup& group) {
  return group.rate("throughput/predicted_samples_per_s_global", "time/predict_s").per_second();
}

// How much faster the group's model predicts than the task's teacher; none unless there is one kind
// of teacher and all ran on one machine, with as many ranks and threads.
std::optional<double> speed_up(const RunGroup& group, const Groups& groups) {
  const RunGroup* teacher = nullptr;
  for (const auto& other : groups) {
    if (!other.teacher || !other.same_task(group) || other.done.empty()) continue;
    if (teacher) return std::nullopt;
    teacher = &other;
  }
  if (!teacher) return std::nullopt;
  std::set<std::string> machines;
  group.add_machines(machines);
  teacher->add_machines(machines);
  const auto own = prediction_rate(group), base = prediction_rate(*teacher);
  return own && base && machines.size() == 1 ? std::optional(*own / *base) : std::nullopt;
}

GroupField mean_field(Column column, const std::string& path) {
  return {std::move(column), [path](const RunGroup& group) { return Cell(group.mean_of(path)); }};
}

void add_metrics(std::vector<GroupField>& fields, const Groups& groups) {
  for (const auto& metric : metric_names(groups)) {
    Column column(metric, field_name(metric) + "_mean", {.digits = 3},
                  of_other_split(metric) ? Show::kIfRoom : Show::kAlways);
    column.spread_name = field_name(metric) + "_sd";
    fields.push_back(
        {column, [metric](const RunGroup& group) { return metric_cell(group, metric); }});
  }
}

void add_costs(std::vector<GroupField>& fields, const Groups& groups) {
  fields.push_back(mean_field(
      {"params (M)", "parameters", {.digits = 2, .scale = 1e6}, Show::kIfRoom}, "parameters"));
  fields.push_back(mean_field({"epochs", "epochs"}, "epochs"));
  fields.push_back(mean_field({"steps", "steps"}, "steps"));
  fields.push_back(mean_field({"core s", "core_s_mean", {.digits = 1}}, "time/core_s"));
  fields.push_back(
      mean_field({"train s", "train_s_mean", {.digits = 1}, Show::kIfRoom}, "time/train_s"));
  fields.push_back(
      {{"samples/s", "samples_per_s_global", {.digits = 1}}, [](const RunGroup& group) {
         return Cell(group.rate("throughput/samples_per_s_global", "time/train_s").per_second());
       }});
  fields.push_back({{"predictions/s", "predicted_samples_per_s_global", {}, Show::kData},
                    [](const RunGroup& group) { return Cell(prediction_rate(group)); }});
  fields.push_back({{"speed-up", "prediction_speed_up_over_teacher", {.digits = 2}},
                    [&groups](const RunGroup& group) { return Cell(speed_up(group, groups)); }});
}

// `groups` must outlive the fields.
std::vector<GroupField> fields_of(const std::vector<json>& runs, const Groups& groups) {
  const bool selected =
      std::any_of(groups.begin(), groups.end(), [](auto& group) { return group.selected; });
  const auto count = [](size_t RunGroup::*member) {
    return [member](const RunGroup& group) { return Cell(static_cast<double>(group.*member)); };
  };
  std::vector<GroupField> fields{
      {experiment_column(runs), [](const RunGroup& group) { return Cell(group.experiment); }},
      {"task", [](const RunGroup& group) { return Cell(group.task); }},
      {"method", [](const RunGroup& group) { return Cell(group.label); }},
      {{"checkpoint", "checkpoint", {}, selected ? Show::kAlways : Show::kData},
       [](const RunGroup& group) { return Cell(group.checkpoint()); }},
      {"n", count_cell},
      {{"failed", "failed", {}, Show::kData}, count(&RunGroup::failed)},
      {{"stopped", "stopped", {}, Show::kData}, count(&RunGroup::stopped)}};
  add_metrics(fields, groups);
  add_costs(fields, groups);
  return fields;
}

// What must not be read as equal among one task's methods.
void note_task(const std::vector<const RunGroup*>& groups, std::vector<std::string>& notes) {
  std::set<std::string> machines;
  std::set<std::optional<double>> steps;
  for (const auto* group : groups) {
    group->add_machines(machines);
    if (!group->teacher && !group->done.empty()) steps.insert(group->mean_of("steps"));
  }
  const std::string& task = groups.front()->task;
  if (steps.size() > 1) notes.push_back(task + ": methods differ in training steps.");
  if (machines.size() > 1) {
    notes.push_back(task + ": runs on different machines, ranks or threads; times do not compare.");
  }
}

void note_tasks(const Groups& groups, std::vector<std::string>& notes) {
  std::vector<const RunGroup*> task;
  for (const auto& group : groups) {
    if (!task.empty() && !group.same_task(*task.front())) {
      note_task(task, notes);
      task.clear();
    }
    task.push_back(&group);
  }
  if (!task.empty()) note_task(task, notes);
}

std::vector<std::string> notes_of(const Groups& groups) {
  std::vector<std::string> notes{
      "Dev scores: mean (sd with n - 1) over n runs, of the last checkpoint unless marked best.",
      "core s: training seconds x ranks x threads, mean of a run, without evaluation and without "
      "the teacher's own.",
      "samples/s: in training, all samples over all seconds; speed-up: in prediction, over the "
      "teacher's samples/s."};
  if (std::any_of(groups.begin(), groups.end(), [](auto& group) { return group.selected; })) {
    notes.emplace_back("best: the checkpoint was selected on the same dev rows.");
  }
  note_tasks(groups, notes);
  for (const auto& group : groups) {
    if (group.repeated == 0) continue;
    notes.push_back(fmt::format("{} {}: {} more of the same seed, not counted", group.task,
                                group.label, group.repeated));
  }
  return notes;
}

}  // namespace

Table comparison_table(const std::vector<json>& runs) {
  const Groups groups = group_runs(runs);
  Table table = table_of(fields_of(runs, groups), groups);
  table.notes = notes_of(groups);
  hide_empty_columns(table);
  return table;
}

std::string write_summary(const std::vector<json>& runs) {
  std::string text = write_console(comparison_table(runs));
  const Table not_done = not_done_table(runs);
  if (!not_done.rows.empty()) text += fmt::format("\n{}", write_console(not_done));
  return text;
}

}  // namespace kdbench
