// SPDX-License-Identifier: MIT
#include "suite/jobs/job_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "io/base/text.h"
#include "suite/jobs/job_texts.h"
#include "suite/machine/provenance.h"

namespace kdbench {
namespace {

constexpr double kSafety = 2.0, kMemorySafety = 1.5;
constexpr int64_t kStartMinutes = 10, kMinuteStep = 5;
constexpr int64_t kMegabyteStep = 256, kRankMegabytes = 512;
constexpr int64_t kReportMinutes = 10, kReportMegabytes = 1024;
// Before the time limit: for a checkpoint.
constexpr int kSignalSeconds = 180;

std::string time_text(int64_t minutes) {
  constexpr int64_t kHour = 60, kDay = 24 * kHour;
  return fmt::format("{}-{:02}:{:02}:00", minutes / kDay, minutes % kDay / kHour, minutes % kHour);
}

// What is the same in all jobs. `name`: "teachers".
std::string head(const std::string& name, const JobSettings& settings) {
  return fmt::format(
      "#!/bin/bash\n"
      "# {0} of {1}, written by kdbench slurm. By hand: sbatch {0}.sh, in this folder.\n"
      "#SBATCH --job-name=kdbench-{1}-{0}\n"
      "#SBATCH --output=logs/{0}-%A_%a.out --open-mode=append\n",
      name, settings.experiment);
}

std::string size_lines(int nodes, int ranks, int cpus, int64_t megabytes, int64_t minutes) {
  return fmt::format(
      "#SBATCH --nodes={} --ntasks-per-node={} --cpus-per-task={}\n#SBATCH --mem={}M --time={}\n",
      nodes, ranks, cpus, megabytes, time_text(minutes));
}

std::string quoted_words(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  for (const auto& word : words) quoted.push_back(shell_quoted(word));
  return joined(quoted, " ");
}

std::string selection_of(const JobUnit& unit) {
  std::vector<std::string> words{"--tasks", unit.task};
  if (!unit.label.empty()) {
    words.insert(words.end(), {"--method", unit.label, "--seeds", std::to_string(unit.seed)});
  }
  return quoted_words(words);
}

std::string paths(const JobSettings& settings) {
  return fmt::format("kdbench={}\nworking={}\n", shell_quoted(settings.program.string()),
                     shell_quoted(settings.working.string()));
}

}  // namespace

std::string script_name(StageGroup group) { return group_name(group) + ".sh"; }

int64_t job_minutes(const JobGroup& group, const JobSettings& settings) {
  if (!settings.time_known && group.computes) return settings.most_minutes;
  const double minutes = kSafety * group.seconds / 60.0;
  const auto steps = static_cast<int64_t>(std::ceil(minutes / static_cast<double>(kMinuteStep)));
  return std::min(settings.most_minutes, kStartMinutes + kMinuteStep * steps);
}

int64_t job_megabytes(const JobGroup& group, const JobSettings& settings) {
  constexpr double kMegabyte = 1 << 20;
  const int64_t bytes = std::max(group.host_bytes, settings.ranks_per_node * settings.rank_bytes);
  const double estimate = kMemorySafety * static_cast<double>(bytes) / kMegabyte;
  const int64_t all = static_cast<int64_t>(estimate) + kRankMegabytes * settings.ranks_per_node;
  return (all + kMegabyteStep - 1) / kMegabyteStep * kMegabyteStep;
}

int job_nodes(const JobGroup& group, const JobSettings& settings) {
  return group.computes ? settings.nodes : 1;
}

std::string number_ranges(const std::vector<size_t>& numbers) {
  std::string text;
  for (size_t begin = 0; begin < numbers.size();) {
    size_t end = begin + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    text += fmt::format("{}{}", text.empty() ? "" : ",", numbers[begin]);
    if (end - begin > 1) text += fmt::format("-{}", numbers[end - 1]);
    begin = end;
  }
  return text;
}

std::string job_script(const JobGroup& group, const JobSettings& settings) {
  const std::string limit =
      settings.at_once > 0 ? fmt::format("%{}", settings.at_once) : std::string();
  std::string units;
  for (size_t i = 0; i < group.units.size(); ++i)
    units += fmt::format("{}) unit=({}) ;;\n", i + 1, selection_of(group.units[i]));
  std::vector<std::string> arguments{"run"};
  arguments.insert(arguments.end(), settings.arguments.begin(), settings.arguments.end());
  arguments.insert(arguments.end(), {"--stages", group_name(group.group)});
  return head(group_name(group.group), settings) +
         fmt::format("#SBATCH --requeue --signal=B:USR1@{}\n", kSignalSeconds) +
         size_lines(job_nodes(group, settings), settings.ranks_per_node, settings.cpus_per_rank,
                    job_megabytes(group, settings), job_minutes(group, settings)) +
         (settings.gpus ? "#SBATCH --gpus-per-task=1\n" : "") +
         fmt::format("#SBATCH --array=1-{}{}\n", group.units.size(), limit) +
         "set -euo pipefail\n\n" + paths(settings) +
         "case ${SLURM_ARRAY_TASK_ID:?a job of an array: use sbatch} in\n" + units + "esac\n" +
         fmt::format("arguments=({} \"${{unit[@]}}\")\n\n", quoted_words(arguments)) + kJobText;
}

std::string report_script(const JobSettings& settings) {
  return head("report", settings) + "#SBATCH --array=1\n" +
         size_lines(1, 1, 1, kReportMegabytes, kReportMinutes) + "set -euo pipefail\n\n" +
         paths(settings) +
         fmt::format("arguments=({})\n\n", quoted_words({"report", settings.results.string(),
                                                         "--out", settings.report.string()})) +
         "# One process reads and writes: no launcher.\n"
         "container=()\nsite_start() { :; }\n. ./site.sh\nset +u\nsite_start\nset -u\n"
         "cd \"$working\"\n\"${container[@]}\" \"$kdbench\" \"${arguments[@]}\"\n";
}

}  // namespace kdbench
