// SPDX-License-Identifier: MIT
#include "reports/pairing.h"

#include <fmt/format.h>

#include "reports/fields.h"
#include "reports/grid.h"
#include "reports/run_group.h"
#include "reports/statistics.h"

namespace kdbench {
namespace {

using nlohmann::json;

// Runs of two groups with the same seed.
struct Pairing {
  const RunGroup* method = nullptr;
  const RunGroup* base = nullptr;
  std::vector<std::pair<const json*, const json*>> runs;
  std::string other_data;  // in what rows of a seed's two runs differ: they are no pair
};

using PairField = Field<Pairing>;

bool fine_tunes(const RunGroup& group) { return group.student() && group.method == "finetune"; }

Pairing pair_up(const RunGroup& method, const RunGroup& base) {
  Pairing pairing{&method, &base, {}, {}};
  for (const json* run : method.done) {
    for (const json* other : base.done) {
      if (seed_of(*run) != seed_of(*other)) continue;
      const std::string difference = data_difference(*run, *other);
      if (difference.empty()) {
        pairing.runs.emplace_back(run, other);
      } else {
        pairing.other_data = difference;
      }
    }
  }
  return pairing;
}

// Pairings without a pair stay where the reason is other data.
std::vector<Pairing> all_pairings(const std::vector<RunGroup>& groups) {
  std::vector<Pairing> pairings;
  for (const auto& method : groups) {
    for (const auto& base : groups) {
      // Among finetune entries the later one is compared with the earlier one.
      const bool comparable = method.student() && fine_tunes(base) && base.same_task(method) &&
                              (!fine_tunes(method) || &base < &method);
      if (!comparable) continue;
      Pairing pairing = pair_up(method, base);
      if (!pairing.runs.empty() || !pairing.other_data.empty())
        pairings.push_back(std::move(pairing));
    }
  }
  return pairings;
}

Cell difference(const Pairing& pairing, const std::string& metric) {
  std::vector<double> differences;
  for (const auto& [run, other] : pairing.runs) {
    const auto own = metrics_of(*run), base = metrics_of(*other);
    if (own.count(metric) && base.count(metric)) {
      differences.push_back(own.at(metric) - base.at(metric));
    }
  }
  return differences.empty() ? Cell() : Cell(mean(differences), standard_deviation(differences));
}

// All of the method's over all of finetune's.
Cell cost_ratio(const Pairing& pairing, const std::string& path) {
  double own = 0.0, base = 0.0;
  for (const auto& [run, other] : pairing.runs) {
    own += number_at(*run, path).value_or(0.0);
    base += number_at(*other, path).value_or(0.0);
  }
  return own > 0.0 && base > 0.0 ? Cell(own / base) : Cell();
}

std::string checkpoints(const Pairing& pairing) {
  const std::string own = pairing.method->checkpoint(), base = pairing.base->checkpoint();
  return own == base ? own : own + " against " + base;
}

PairField ratio_field(Column column, const std::string& path) {
  return {std::move(column), [path](const Pairing& pairing) { return cost_ratio(pairing, path); }};
}

PairField difference_field(const std::string& metric) {
  Column column(metric, field_name(metric) + "_difference_mean", {.digits = 3, .sign = true});
  column.spread_name = field_name(metric) + "_difference_sd";
  return {column, [metric](const Pairing& pairing) { return difference(pairing, metric); }};
}

}  // namespace

Table paired_table(const std::vector<json>& runs) {
  const auto groups = compared_groups(runs);
  std::vector<PairField> fields{
      {experiment_column(runs), [](auto& pairing) { return pairing.method->experiment; }},
      {"task", [](auto& pairing) { return pairing.method->task; }},
      {"method", [](auto& pairing) { return pairing.method->label; }},
      {"against", [](auto& pairing) { return pairing.base->label; }},
      {"checkpoint", checkpoints},
      {"pairs", [](auto& pairing) { return static_cast<double>(pairing.runs.size()); }}};
  for (const auto& metric : metric_names(groups)) fields.push_back(difference_field(metric));
  fields.push_back(ratio_field({"steps ratio", "steps_ratio", {.digits = 2}}, "steps"));
  fields.push_back(ratio_field({"core s ratio", "core_s_ratio", {.digits = 2}}, "time/core_s"));
  std::vector<Pairing> pairings = all_pairings(groups);
  std::vector<std::string> unpaired;
  for (const auto& pairing : pairings) {
    if (pairing.other_data.empty()) continue;
    unpaired.push_back(fmt::format("{} {} and {}: runs that differ in {} are not paired.",
                                   pairing.method->task, pairing.method->label, pairing.base->label,
                                   pairing.other_data));
  }
  std::erase_if(pairings, [](const Pairing& pairing) { return pairing.runs.empty(); });
  Table table = table_of(fields, pairings);
  table.notes = {
      "Mean (sd with n - 1) of the differences between runs of the same seed, method minus "
      "finetune; "
      "ratios are of sums over the pairs."};
  if (!grid_notes(groups).empty()) {
    table.notes.emplace_back(
        "Of a grid only the best point is compared; it was selected on the same dev scores.");
  }
  for (auto& note : unpaired) table.notes.push_back(std::move(note));
  hide_empty_columns(table);
  return table;
}

}  // namespace kdbench
