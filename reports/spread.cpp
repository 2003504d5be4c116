// SPDX-License-Identifier: MIT
#include "reports/spread.h"

#include <fmt/format.h>

#include <algorithm>

#include "reports/fields.h"
#include "reports/grid.h"
#include "reports/run_group.h"
#include "reports/statistics.h"

namespace kdbench {
namespace {

using nlohmann::json;

// One metric of one group.
struct Scores {
  const RunGroup* group = nullptr;
  std::string metric;
  std::vector<double> values;  // by seed
};

using ScoreField = Field<Scores>;

std::vector<Scores> all_scores(const std::vector<RunGroup>& groups) {
  const auto metrics = metric_names(groups);
  std::vector<Scores> all;
  for (const auto& group : groups) {
    for (const auto& metric : metrics) {
      Scores scores{&group, metric, group.metric(metric)};
      if (!scores.values.empty()) all.push_back(std::move(scores));
    }
  }
  return all;
}

// "1: 0.803, 2: 0.791"
std::string by_seed(const Scores& scores) {
  std::string text;
  for (const json* run : scores.group->done) {
    const auto metrics = metrics_of(*run);
    const auto it = metrics.find(scores.metric);
    if (it == metrics.end()) continue;
    text += fmt::format("{}{}: {:.3f}", text.empty() ? "" : ", ", seed_of(*run).value_or(0),
                        it->second);
  }
  return text;
}

ScoreField number_field(const char* title, double (*figure)(const Scores&)) {
  return {{title, field_name(title), {.digits = 3}},
          [figure](const Scores& scores) { return Cell(figure(scores)); }};
}

ScoreField interval_field(const char* title, double std::pair<double, double>::*end) {
  return {{title, field_name(title), {.digits = 3}}, [end](const Scores& scores) {
            const auto interval = median_interval(scores.values);
            return interval ? Cell((*interval).*end) : Cell();
          }};
}

}  // namespace

Table spread_table(const std::vector<json>& runs) {
  const auto groups = compared_groups(runs);
  const std::vector<ScoreField> fields{
      {experiment_column(runs), [](auto& scores) { return scores.group->experiment; }},
      {"task", [](auto& scores) { return scores.group->task; }},
      {"method", [](auto& scores) { return scores.group->label; }},
      {"checkpoint", [](auto& scores) { return scores.group->checkpoint(); }},
      {"metric", [](auto& scores) { return scores.metric; }},
      {"n", [](auto& scores) { return static_cast<double>(scores.values.size()); }},
      number_field("median", [](auto& scores) { return median(scores.values); }),
      interval_field("median 95 low", &std::pair<double, double>::first),
      interval_field("median 95 high", &std::pair<double, double>::second),
      number_field("min", [](auto& scores) { return *std::ranges::min_element(scores.values); }),
      number_field("max", [](auto& scores) { return *std::ranges::max_element(scores.values); }),
      {{"by seed", "by_seed"}, by_seed}};
  Table table = table_of(fields, all_scores(groups));
  table.notes = {
      "median 95: order statistics that hold the median with at least 95 %; with fewer than 6 runs "
      "there are none, all values count."};
  if (!grid_notes(groups).empty()) {
    table.notes.emplace_back("Of a grid only the best point stands here, selected on dev.");
  }
  hide_empty_columns(table);
  return table;
}

}  // namespace kdbench
