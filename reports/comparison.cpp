// SPDX-License-Identifier: MIT
#include "reports/comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "reports/fields.h"
#include "reports/grid.h"
#include "reports/group_fields.h"
#include "reports/language_models.h"
#include "reports/run_group.h"
#include "reports/run_table.h"

namespace kdbench {
namespace {

using nlohmann::json;
using Groups = std::vector<RunGroup>;
using GroupField = Field<RunGroup>;

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

void add_costs(std::vector<GroupField>& fields, const Groups& groups) {
  fields.push_back(mean_field(
      {"params (M)", "parameters", {.digits = 2, .scale = 1e6}, Show::kIfRoom}, "parameters"));
  fields.push_back(mean_field({"epochs", "epochs"}, "epochs"));
  fields.push_back(mean_field({"steps", "steps"}, "steps"));
  fields.push_back(core_seconds_field());
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

// "best of 9 (1 failed)": the points of the grid, and those without a finished run.
Cell grid_cell(const RunGroup& group) {
  const GridSearch& grid = group.searched;
  if (grid.points == 0) return {};
  std::string text = fmt::format("best of {}", grid.points);
  if (grid.without_run > 0) text += fmt::format(" ({} failed)", grid.without_run);
  return {static_cast<double>(grid.points), text};
}

// `groups` must outlive the fields.
std::vector<GroupField> fields_of(const std::vector<json>& runs, const Groups& groups) {
  const bool selected =
      std::any_of(groups.begin(), groups.end(), [](auto& group) { return group.selected; });
  std::vector<GroupField> fields{
      {experiment_column(runs), [](const RunGroup& group) { return Cell(group.experiment); }},
      {"task", [](const RunGroup& group) { return Cell(group.task); }},
      {"method", [](const RunGroup& group) { return Cell(group.label); }},
      {{"checkpoint", "checkpoint", {}, selected ? Show::kAlways : Show::kData},
       [](const RunGroup& group) { return Cell(group.checkpoint()); }},
      {{"grid", "grid_points"}, grid_cell}};
  for (auto& field : count_fields()) fields.push_back(std::move(field));
  add_metrics(fields, groups);
  add_costs(fields, groups);
  return fields;
}

// What must not be read as equal among one task's methods.
void note_task(const std::vector<const RunGroup*>& groups, std::vector<std::string>& notes) {
  std::set<std::string> machines;
  std::set<std::optional<double>> steps;
  std::vector<std::string> disturbed;
  for (const auto* group : groups) {
    const auto beside_others = std::count_if(group->done.begin(), group->done.end(),
                                             [](const json* run) { return shared_its_cpus(*run); });
    if (beside_others > 0) disturbed.push_back(fmt::format("{} ({})", group->label, beside_others));
    group->add_machines(machines);
    if (group->student() && !group->done.empty()) steps.insert(group->mean_of("steps"));
  }
  const std::string& task = groups.front()->task;
  if (steps.size() > 1) notes.push_back(task + ": methods differ in training steps.");
  if (machines.size() > 1) {
    notes.push_back(task + ": runs on different machines, ranks or threads; times do not compare.");
  }
  if (!disturbed.empty()) {
    notes.push_back(
        fmt::format("{}: other processes used the cores during runs of {}; times do not compare.",
                    task, fmt::join(disturbed, ", ")));
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

// What the records say that a reader of their scores must know.
void note_remarks(const Groups& groups, std::vector<std::string>& notes) {
  std::set<std::string> seen;
  for (const auto& group : groups) {
    for (const json* run : group.done) {
      for (const json& remark : run->value("remarks", json::array())) {
        if (!remark.is_string()) continue;
        const std::string note =
            fmt::format("{} {}: {}", group.task, group.label, remark.get<std::string>());
        if (seen.insert(note).second) notes.push_back(note);
      }
    }
  }
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
  if (any_teacher_beside(groups)) {
    notes.emplace_back(
        "teacher ...: dev scores of the teacher that learned beside the student, after its last "
        "epoch.");
  }
  note_remarks(groups, notes);
  for (auto& note : grid_notes(groups)) notes.push_back(std::move(note));
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
  const Groups groups = compared_groups(runs);
  Table table = table_of(fields_of(runs, groups), groups);
  table.notes = notes_of(groups);
  hide_empty_columns(table);
  return table;
}

std::string write_summary(const std::vector<json>& runs) {
  std::string text = write_console(comparison_table(runs));
  for (const Table& table : {grid_table(runs), language_model_table(runs), not_done_table(runs)}) {
    if (!table.rows.empty()) text += fmt::format("\n{}", write_console(table));
  }
  return text;
}

nlohmann::json summary_json(const std::vector<json>& runs) {
  return {{"comparison", write_json(comparison_table(runs))},
          {"grids", write_json(grid_table(runs))},
          {"language_models", write_json(language_model_table(runs))},
          {"not_done", write_json(not_done_table(runs))}};
}

}  // namespace kdbench
