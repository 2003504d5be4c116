// SPDX-License-Identifier: MIT
#include "reports/grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

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

// Experiment, task, the label that the points share.
using GridName = std::tuple<std::string, std::string, std::string>;
using Points = std::vector<const RunGroup*>;

GridName name_of(const RunGroup& point) { return {point.experiment, point.task, point.grid}; }

// The points of every grid, in the groups' order.
std::map<GridName, Points> grids_of(const Groups& groups) {
  std::map<GridName, Points> grids;
  for (const auto& group : groups) {
    if (!group.grid.empty()) grids[name_of(group)].push_back(&group);
  }
  return grids;
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

const RunGroup* best_of(const Points& points) {
  const RunGroup* best = nullptr;
  double best_score = -HUGE_VAL;
  for (const RunGroup* point : points) {
    const double score = score_of(*point);
    const bool better =
        !best || score > best_score || (score == best_score && earlier(*point, *best));
    if (!better) continue;
    best = point;
    best_score = score;
  }
  return best;
}

GridSearch search_of(const RunGroup& best, const Points& points) {
  GridSearch search;
  for (const RunGroup* point : points) {
    ++search.points;
    search.without_run += point->done.empty();
    search.uneven |= !point->done.empty() && point->done.size() != best.done.size();
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

// All points of all grids, in order of the grids' first points; those of one grid together, by
// their values. The best of each grid is marked.
struct AllPoints {
  Groups points;
  std::set<std::pair<GridName, std::string>> best;  // with the point's label
};

AllPoints all_points(const Groups& groups) {
  AllPoints all;
  auto grids = grids_of(groups);
  for (const auto& group : groups) {
    const auto grid = grids.find(name_of(group));
    if (grid == grids.end()) continue;  // a grid's later point, or none
    const RunGroup* best = best_of(grid->second);
    if (!best->done.empty()) all.best.insert({grid->first, best->label});
    const auto first = static_cast<std::ptrdiff_t>(all.points.size());
    for (const RunGroup* point : grid->second) all.points.push_back(*point);
    std::stable_sort(all.points.begin() + first, all.points.end(), earlier);
    grids.erase(grid);
  }
  return all;
}

// `all` must outlive the fields.
std::vector<GroupField> grid_fields(const std::vector<json>& runs, const AllPoints& all) {
  std::vector<GroupField> fields{
      {experiment_column(runs), [](auto& point) { return Cell(point.experiment); }},
      {"task", [](auto& point) { return Cell(point.task); }},
      {"method", [](auto& point) { return Cell(point.grid + point.difference); }}};
  for (const auto& key : keys_of(all.points)) {
    fields.push_back({key, [key](const RunGroup& point) {
                        const auto found = point.point.find(key);
                        return found == point.point.end() ? Cell() : Cell(found->second);
                      }});
  }
  for (auto& field : count_fields()) fields.push_back(std::move(field));
  add_metrics(fields, all.points);
  fields.push_back(core_seconds_field());
  fields.push_back({"selected", [&all](const RunGroup& point) {
                      return all.best.count({name_of(point), point.label}) ? Cell("best") : Cell();
                    }});
  return fields;
}

}  // namespace

std::vector<RunGroup> compared_groups(const std::vector<json>& runs) {
  const Groups groups = group_runs(runs);
  const auto grids = grids_of(groups);
  std::set<GridName> seen;
  Groups compared;
  for (const auto& group : groups) {
    if (group.grid.empty()) {
      compared.push_back(group);
      continue;
    }
    if (!seen.insert(name_of(group)).second) continue;
    const Points& points = grids.at(name_of(group));
    compared.push_back(*best_of(points));
    compared.back().searched = search_of(compared.back(), points);
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
  const AllPoints all = all_points(group_runs(runs));
  Table table = table_of(grid_fields(runs, all), all.points);
  table.title = "Grids";
  table.notes = {"best: of its task's points, by the mean dev score over its seeds."};
  hide_empty_columns(table);
  return table;
}

}  // namespace kdbench
