// SPDX-License-Identifier: MIT
#include "reports/group_fields.h"

#include <fmt/format.h>

#include "reports/statistics.h"

namespace kdbench {
namespace {

// "2 (1 failed)".
Cell count_cell(const RunGroup& group) {
  std::string text = std::to_string(group.done.size()), others;
  if (group.failed) others += fmt::format("{} failed", group.failed);
  if (group.stopped)
    others += fmt::format("{}{} stopped", others.empty() ? "" : ", ", group.stopped);
  if (!others.empty()) text += " (" + others + ")";
  return {static_cast<double>(group.done.size()), text};
}

constexpr const char* kTeacherBeside = "teacher_last";  // its scores in run.json

Cell metric_cell(const RunGroup& group, const std::string& metric, const std::string& checkpoint) {
  const auto values = group.metric(metric, checkpoint);
  return values.empty() ? Cell() : Cell(mean(values), standard_deviation(values));
}

}  // namespace

std::vector<Field<RunGroup>> count_fields() {
  const auto count = [](size_t RunGroup::*member) {
    return [member](const RunGroup& group) { return Cell(static_cast<double>(group.*member)); };
  };
  return {{"n", count_cell},
          {{"failed", "failed", {}, Show::kData}, count(&RunGroup::failed)},
          {{"stopped", "stopped", {}, Show::kData}, count(&RunGroup::stopped)}};
}

void add_metrics(std::vector<Field<RunGroup>>& fields, const std::vector<RunGroup>& groups) {
  const auto add = [&](const std::string& title, const std::string& metric,
                       const std::string& checkpoint, Show show) {
    Column column(title, field_name(title) + "_mean", {.digits = 3}, show);
    column.spread_name = field_name(title) + "_sd";
    fields.push_back({column, [metric, checkpoint](const RunGroup& group) {
                        return metric_cell(group, metric, checkpoint);
                      }});
  };
  for (const auto& metric : metric_names(groups)) {
    add(metric, metric, "", of_other_split(metric) ? Show::kIfRoom : Show::kAlways);
  }
  for (const auto& metric : metric_names(groups, kTeacherBeside)) {
    add("teacher " + metric, metric, kTeacherBeside, Show::kIfRoom);
  }
}

bool any_teacher_beside(const std::vector<RunGroup>& groups) {
  return !metric_names(groups, kTeacherBeside).empty();
}

Field<RunGroup> mean_field(Column column, const std::string& path) {
  return {std::move(column), [path](const RunGroup& group) { return Cell(group.mean_of(path)); }};
}

Field<RunGroup> core_seconds_field() {
  return mean_field({"core s", "core_s_mean", {.digits = 1}}, "time/core_s");
}

}  // namespace kdbench
