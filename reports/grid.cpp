// SPDX-License-Identifier: MIT
#include "reports/grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "reports/dev_score.h"
#include "reports/fields.h"
#include "reports/group_fields.h"
#include "reports/statistics.h"

namespace kdbench {
namespace {

using nlohmann::json;
using Groups = std::vector<RunGroup>;
using GroupField = Field<RunGroup>;

// Mean dev score over the seeds; below all others where a run has none.
double score_of(const RunGroup& group) {
  std::vector<double> scores;
  for (const json* run : group.done) scores.push_back(dev_score(*run).value_or(-HUGE_VAL));
  return scores.empty() ? -HUGE_VAL : mean(scores);
}

bool same_grid(const RunGroup& a, const RunGroup& b) {
  return !a.grid.empty() && a.grid == b.grid && a.same_task(b);
}

// As numbers where both are: 5 comes before 10.
bool smaller(const std::string& a, const std::string& b) {
  double x = 0, y = 0;
  const auto number = [](const std::string& text, double& value) {
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    return problem == std::errc() && end == text.data() + text.size();
  };
  return number(a, x) && number(b, y) ? x < y : a < b;
}

bool earlier(const RunGroup& a, const RunGroup& b) {
  for (const auto& [key, value] : a.point) {
    const auto other = b.point.find(key);
    if (other == b.point.end()) return false;
    if (value != other->second) return smaller(value, other->second);
  }
  return false;
}

// The best point of the grid that `group` is a point of.
const RunGroup* best_point(const RunGroup& group, const Groups& groups) {
  const RunGroup* best = nullptr;
  double best_score = -HUGE_VAL;
  for (const auto& point : groups) {
    if (!same_grid(group, point)) continue;
    const double score = score_of(point);
    const bool better =
        !best || score > best_score || (score == best_score && earlier(point, *best));
    if (!better) continue;
    best = &point;
    best_score = score;
  }
  return best;
}

GridSearch search_of(const RunGroup& best, const Groups& groups) {
  GridSearch search;
  for (const auto& point : groups) {
    if (!same_grid(best, point)) continue;
    ++search.points;
    search.without_run += point.done.empty();
    search.uneven |= !point.done.empty() && point.done.size() != best.done.size();
  }
  return search;
}

// "alpha", "train.learning_rate": of all grids.
std::set<std::string> keys_of(const Groups& points) {
  std::set<std::string> keys;
  for (const auto& point : points) {
    for (const auto& [key, value] : point.point) keys.insert(key);
  }
  return keys;
}

// All points of all grids; those of one grid together, by their values.
Groups all_points(const Groups& groups) {
  Groups points;
  for (const auto& group : groups) {
    const bool seen = std::any_of(points.begin(), points.end(),
                                  [&](const RunGroup& point) { return same_grid(point, group); });
    if (group.grid.empty() || seen) continue;
    const auto first = static_cast<std::ptrdiff_t>(points.size());
    for (const auto& point : groups) {
      if (same_grid(point, group)) points.push_back(point);
    }
    std::stable_sort(points.begin() + first, points.end(), earlier);
  }
  return points;
}

// `groups` must outlive the fields.
std::vector<GroupField> grid_fields(const std::vector<json>& runs, const Groups& groups,
                                    const Groups& points) {
  std::vector<GroupField> fields{
      {experiment_column(runs), [](auto& point) { return Cell(point.experiment); }},
      {"task", [](auto& point) { return Cell(point.task); }},
      {"method", [](auto& point) { return Cell(point.grid + point.difference); }}};
  for (const auto& key : keys_of(points)) {
    fields.push_back({key, [key](const RunGroup& point) {
                        const auto found = point.point.find(key);
                        return found == point.point.end() ? Cell() : Cell(found->second);
                      }});
  }
  for (auto& field : count_fields()) fields.push_back(std::move(field));
  add_metrics(fields, points);
  fields.push_back(core_seconds_field());
  fields.push_back({"selected", [&groups](const RunGroup& point) {
                      const RunGroup* best = best_point(point, groups);
                      return best->label == point.label && !best->done.empty() ? Cell("best")
                                                                               : Cell();
                    }});
  return fields;
}

}  // namespace

std::vector<RunGroup> compared_groups(const std::vector<json>& runs) {
  const Groups groups = group_runs(runs);
  Groups compared;
  for (const auto& group : groups) {
    if (group.grid.empty()) {
      compared.push_back(group);
      continue;
    }
    const bool seen = std::any_of(compared.begin(), compared.end(),
                                  [&](const RunGroup& other) { return same_grid(other, group); });
    if (seen) continue;
    compared.push_back(*best_point(group, groups));
    compared.back().searched = search_of(compared.back(), groups);
  }
  return compared;
}

std::vector<std::string> grid_notes(const std::vector<RunGroup>& compared) {
  std::set<std::string> metrics;
  std::vector<std::string> notes;
  for (const auto& group : compared) {
    if (group.searched.points == 0) continue;
    if (!group.done.empty()) metrics.insert(dev_metric(*group.done.front()));
    if (group.searched.uneven) {
      notes.push_back(fmt::format("{} {}: the grid's points differ in finished seeds.", group.task,
                                  group.grid));
    }
  }
  if (metrics.empty()) return notes;
  notes.insert(notes.begin(),
               fmt::format("grid: the point with the best dev score (mean over its seeds; {}) "
                           "stands for all. Selected on the same dev rows: its scores are too "
                           "high.",
                           fmt::join(metrics, ", ")));
  return notes;
}

Table grid_table(const std::vector<json>& runs) {
  const Groups groups = group_runs(runs);
  const Groups points = all_points(groups);
  Table table = table_of(grid_fields(runs, groups, points), points);
  table.title = "Grids";
  table.notes = {"best: of its task's points, by the mean dev score over its seeds."};
  hide_empty_columns(table);
  return table;
}

}  // namespace kdbench
