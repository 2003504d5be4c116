// SPDX-License-Identifier: MIT
#include "reports/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/statistics.h"

namespace kdbench {
namespace {

using nlohmann::json;

constexpr const char* kSelectedMark = " *";

// The runs of one row.
struct Group {
  std::string task, label, checkpoint;
  bool teacher = false;
  std::vector<const json*> done;
  size_t failed = 0;
};

std::string text_of(const json& run, const char* key) {
  const auto it = run.find(key);
  return it != run.end() && it->is_string() ? it->get<std::string>() : "";
}

// The number at "a/b/c", or `fallback` where there is none (NaN is stored as null).
double number_at(const json& run, const std::string& pointer, double fallback = 0.0) {
  const json::json_pointer place("/" + pointer);
  if (!run.contains(place) || !run.at(place).is_number()) return fallback;
  return run.at(place).get<double>();
}

std::vector<Group> group_runs(const std::vector<json>& runs) {
  std::vector<Group> groups;
  std::map<std::string, size_t> tasks;  // in order of first appearance
  for (const auto& run : runs) {
    const std::string task = text_of(run, "task"), label = text_of(run, "label");
    const bool teacher = text_of(run, "role") == "teacher";
    tasks.emplace(task, tasks.size());
    auto it = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
      return group.task == task && group.label == label && group.teacher == teacher;
    });
    if (it == groups.end()) {
      groups.push_back({task, label, text_of(run, "checkpoint"), teacher, {}, 0});
      it = groups.end() - 1;
    }
    if (text_of(run, "status") == "done") {
      it->done.push_back(&run);
    } else {
      ++it->failed;
    }
  }
  std::stable_sort(groups.begin(), groups.end(), [&](const Group& a, const Group& b) {
    if (a.task != b.task) return tasks[a.task] < tasks[b.task];
    return a.teacher && !b.teacher;
  });
  return groups;
}

// Metrics of a run's recorded checkpoint by column name: "f1" on the task's first dev split,
// "accuracy dev_mismatched" on others.
std::map<std::string, double> metrics_of(const json& run) {
  std::map<std::string, double> values;
  const json::json_pointer place("/metrics/" + run.value("checkpoint", "last"));
  if (!run.contains(place) || !run.at(place).is_object()) return values;
  bool first = true;
  for (const auto& [split, metrics] : run.at(place).items()) {
    for (const auto& [name, value] : metrics.items()) {
      if (value.is_number()) values[first ? name : name + " " + split] = value.get<double>();
    }
    first = false;
  }
  return values;
}

std::vector<std::string> metric_columns(const std::vector<Group>& groups) {
  std::vector<std::string> columns;
  for (const auto& group : groups) {
    for (const json* run : group.done) {
      for (const auto& [name, value] : metrics_of(*run)) {
        if (std::find(columns.begin(), columns.end(), name) == columns.end()) {
          columns.push_back(name);
        }
      }
    }
  }
  std::sort(columns.begin(), columns.end());
  return columns;
}

std::string count_text(const Group& group) {
  const std::string done = std::to_string(group.done.size());
  return group.failed ? fmt::format("{} ({} failed)", done, group.failed) : done;
}

std::vector<double> values_of(const Group& group, const std::string& pointer) {
  std::vector<double> values;
  for (const json* run : group.done) values.push_back(number_at(*run, pointer));
  return values;
}

// Throughput of several runs is all their samples over all their seconds, not a mean of rates.
std::string samples_rate(const Group& group) {
  double samples = 0.0, seconds = 0.0;
  for (const json* run : group.done) {
    const double run_seconds = number_at(*run, "time/train_s");
    const double rate = number_at(*run, "throughput/samples_per_s_global");
    samples += number_at(*run, "samples", rate * run_seconds);
    seconds += run_seconds;
  }
  return seconds > 0 ? fmt::format("{:.1f}", samples / seconds) : "-";
}

std::vector<std::string> row_of(const Group& group, const std::vector<std::string>& columns) {
  const bool selected = group.checkpoint == "best";
  std::vector<std::string> row{group.task, group.label + (selected ? kSelectedMark : ""),
                               count_text(group)};
  std::map<std::string, std::vector<double>> metrics;
  for (const json* run : group.done) {
    for (const auto& [name, value] : metrics_of(*run)) metrics[name].push_back(value);
  }
  for (const auto& column : columns) row.push_back(mean_text(metrics[column], 3));
  if (group.done.empty()) {
    row.insert(row.end(), {"-", "-", "-", "-"});
    return row;
  }
  const double seconds = mean(values_of(group, "time/train_s"));
  row.push_back(fmt::format("{:.2f}", mean(values_of(group, "parameters")) / 1e6));
  row.push_back(fmt::format("{:.4g}", mean(values_of(group, "epochs"))));
  row.push_back(seconds > 0 ? fmt::format("{:.1f}", seconds) : "-");
  row.push_back(samples_rate(group));
  return row;
}

std::vector<std::string> notes_of(const std::vector<json>& runs, const std::vector<Group>& groups) {
  std::vector<std::string> notes{
      "Dev scores, mean (sd with n - 1) over n runs; last checkpoint unless marked; train s: mean "
      "of a run; "
      "samples/s: all samples over all seconds."};
  if (std::any_of(groups.begin(), groups.end(),
                  [](const Group& group) { return group.checkpoint == "best"; })) {
    notes.emplace_back("*: best checkpoint, selected on dev.");
  }
  for (const auto& run : runs) {
    const std::string status = text_of(run, "status");
    if (status == "done") continue;
    notes.push_back(fmt::format("{} {} seed {}: {}: {}", text_of(run, "task"),
                                text_of(run, "label"), run.value("seed", 0), status,
                                text_of(run, "reason")));
  }
  return notes;
}

}  // namespace

Table comparison_table(const std::vector<json>& runs) {
  const auto groups = group_runs(runs);
  const auto metrics = metric_columns(groups);
  Table table;
  table.header = {"task", "method", "n"};
  table.header.insert(table.header.end(), metrics.begin(), metrics.end());
  table.header.insert(table.header.end(), {"params (M)", "epochs", "train s", "samples/s"});
  for (const auto& group : groups) table.rows.push_back(row_of(group, metrics));
  table.notes = notes_of(runs, groups);
  return table;
}

}  // namespace kdbench
