// SPDX-License-Identifier: MIT
#include "reports/scaling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "io/base/error.h"
#include "reports/run_fields.h"
#include "reports/run_files.h"
#include "reports/statistics.h"

namespace kdbench {
namespace {

// Steps in which memory is taken and caches fill.
constexpr size_t kWarmSteps = 3;

// The largest difference of the runs' losses, step by step, as a part of the first's.
double largest_difference(const std::vector<double>& first, const std::vector<double>& other) {
  double largest = 0.0;
  for (size_t i = 0; i < std::min(first.size(), other.size()); ++i)
    largest =
        std::max(largest, std::abs(other[i] - first[i]) / std::max(std::abs(first[i]), 1e-12));
  return largest;
}

double half_width_of(const std::vector<double>& seconds) {
  const auto interval = median_interval(seconds);
  if (!interval) return 1.0;
  return 0.5 * (interval->second - interval->first) / median(seconds);
}

ScalingPoint point_of(const std::vector<const ScalingRun*>& runs) {
  std::vector<double> seconds;
  ScalingPoint point;
  double train = 0.0;
  for (const ScalingRun* run : runs) {
    seconds.insert(seconds.end(), run->step_s.begin(), run->step_s.end());
    train += run->train_s;
    point.comm_exposed += run->comm_exposed_s;
    point.imbalance += run->wait_s;
    point.data += run->data_s;
  }
  for (double* part : {&point.comm_exposed, &point.imbalance, &point.data}) *part /= train;
  point.ranks = runs.front()->ranks;
  point.runs = static_cast<int>(runs.size());
  point.batch = runs.front()->batch;
  point.step_s = median(seconds);
  point.half_width = half_width_of(seconds);
  point.samples_per_s = static_cast<double>(point.batch) / point.step_s;
  return point;
}

}  // namespace

ScalingRun read_scaling_run(const std::string& folder) {
  const nlohmann::json record = read_run_json(folder);
  if (text_of(record, "status") != "done") {
    throw_user_error(folder, "is no finished run: " + text_of(record, "reason"),
                     "the log beside it says more");
  }
  ScalingRun run;
  run.folder = folder;
  const nlohmann::json& system = run.system = record.at("system");
  run.ranks = system.value("ranks", 1);
  run.threads = system.value("threads_per_rank", 1);
  run.hosts = static_cast<int>(system.value("hosts", nlohmann::json::array()).size());
  const nlohmann::json& time = record.at("time");
  run.train_s = time.at("train_s");
  run.compute_s = time.at("compute_s");
  run.wait_s = time.at("wait_s");
  run.comm_exposed_s = time.at("comm_exposed_s");
  run.data_s = time.at("data_s");
  std::ifstream events(std::filesystem::path(folder) / "events.jsonl");
  for (std::string line; std::getline(events, line);) {
    const nlohmann::json event = nlohmann::json::parse(line, nullptr, false);
    if (event.is_discarded() || event.value("type", "") != "step") continue;
    run.losses.push_back(event.value("loss", 0.0));
    const int64_t samples = event.value("samples", int64_t{0});
    run.batch = std::max(run.batch, samples);
    // The last batch of an epoch may be smaller.
    if (run.losses.size() > kWarmSteps && samples == run.batch)
      run.step_s.push_back(event.value("step_s", 0.0));
  }
  if (run.step_s.empty()) {
    throw_user_error(folder, fmt::format("has not more than {} steps", kWarmSteps),
                     "more rows or epochs are needed");
  }
  return run;
}

std::vector<ScalingPoint> scaling_points(const std::vector<ScalingRun>& runs) {
  std::map<int, std::vector<const ScalingRun*>> by_ranks;
  for (const auto& run : runs) by_ranks[run.ranks].push_back(&run);
  const std::vector<double>& losses = by_ranks.begin()->second.front()->losses;
  std::vector<ScalingPoint> points;
  for (const auto& [ranks, same] : by_ranks) {
    ScalingPoint point = point_of(same);
    const ScalingPoint& base = points.empty() ? point : points.front();
    const double more = static_cast<double>(ranks) / base.ranks;
    point.speed_up = point.samples_per_s / base.samples_per_s;
    point.efficiency = point.speed_up / more;
    point.ideal_samples_per_s = base.samples_per_s * more;
    for (const ScalingRun* run : same)
      point.loss_difference =
          std::max(point.loss_difference, largest_difference(losses, run->losses));
    points.push_back(point);
  }
  return points;
}

Table scaling_table(const std::vector<ScalingPoint>& points, ScalingMode mode) {
  const bool strong = mode == ScalingMode::kStrong;
  Table table;
  table.title = strong ? "Strong scaling" : "Weak scaling";
  const NumberFormat ms{.digits = 1, .scale = 1e-3}, percent{.digits = 1, .scale = 1e-2};
  table.header = {{"ranks", "ranks"},
                  {"runs", "runs"},
                  {"batch", "batch"},
                  {"step ms", "step_s", ms},
                  {"+- %", "median_half_width", percent},
                  {"samples/s", "samples_per_s", {.digits = 1}},
                  {"ideal", "ideal_samples_per_s", {.digits = 1}},
                  {"speed-up", "speed_up", {.digits = 2}},
                  {"efficiency %", "efficiency", percent},
                  {"comm %", "comm_exposed", percent},
                  {"waiting %", "imbalance", percent},
                  {"data %", "data", percent, Show::kIfRoom}};
  if (strong) table.header.emplace_back("loss differs", "loss_difference");
  for (const auto& point : points) {
    auto& row = table.rows.emplace_back(std::vector<Cell>{
        integer_cell(point.ranks), integer_cell(point.runs), integer_cell(point.batch),
        point.step_s, point.half_width, point.samples_per_s, point.ideal_samples_per_s,
        point.speed_up, point.efficiency, point.comm_exposed, point.imbalance, point.data});
    if (strong)
      row.emplace_back(point.loss_difference, fmt::format("{:.1g}", point.loss_difference));
  }
  table.notes = {
      "step ms: median over the steps of all runs but each run's first 3; +-: half of the median's "
      "95 % interval. Parts of the training's time: comm: sums of gradients and of losses that "
      "nothing hides; waiting: for slower ranks; data: making batches.",
      strong
          ? "The batch is the same for all: ranks share it. loss differs: from that on the fewest "
            "ranks, the largest of any step, as a part of it: rounding alone."
          : "Each rank's part of the batch is the same: the batch grows with the ranks, and so "
            "trainings differ."};
  return table;
}

}  // namespace kdbench
