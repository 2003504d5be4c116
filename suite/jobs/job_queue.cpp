// SPDX-License-Identifier: MIT
#include "suite/jobs/job_queue.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "io/base/error.h"
#include "io/base/look.h"
#include "reports/table.h"
#include "suite/ranks/stop_signals.h"

namespace kdbench {
namespace {

constexpr const char* kReport = "report";
constexpr size_t kMostTasks = 1000;  // of an array, as Slurm is set up by default

// Numbers of an array's tasks count from 1.
std::vector<size_t> numbers_of(const std::map<size_t, std::string>& units) {
  std::vector<size_t> numbers;
  for (const auto& [number, unit] : units) numbers.push_back(number);
  return numbers;
}

}  // namespace

JobQueue::JobQueue(std::filesystem::path folder, JobSettings settings, std::vector<JobGroup> groups,
                   JobBook book)
    : folder_(std::move(folder)),
      settings_(std::move(settings)),
      groups_(std::move(groups)),
      book_(std::move(book)),
      slurm_(folder_),
      states_(slurm_.states(book_.ids())) {}

const JobUnit& JobQueue::unit(const std::pair<StageGroup, size_t>& place) const {
  const auto group = std::find_if(groups_.begin(), groups_.end(), [&](const JobGroup& known) {
    return known.group == place.first;
  });
  return group->units.at(place.second);
}

std::string JobQueue::live_task(const std::string& name, const std::string& unit) const {
  const std::string task = book_.task_of(name, unit);
  const auto state = states_.find(task);
  return state != states_.end() && state->second.live() ? task : "";
}

std::vector<SubmittedArray> JobQueue::submit() {
  for (const auto& group : groups_) {
    if (group.units.size() <= kMostTasks) continue;
    throw_user_error("slurm",
                     fmt::format("{} jobs for {}, of which an array takes {}", group.units.size(),
                                 group_name(group.group), kMostTasks),
                     "choose some by --tasks, --method or --seeds, each in a --jobs of its own");
  }
  std::vector<SubmittedArray> made;
  for (const auto& group : groups_) submit_group(group, made);
  submit_report(made);
  return made;
}

// An array for each task, so that what fails in one does not stop the others.
void JobQueue::submit_group(const JobGroup& group, std::vector<SubmittedArray>& made) {
  const std::string name = group_name(group.group);
  std::vector<std::string> tasks;
  std::map<std::string, std::vector<size_t>> missing;
  for (size_t i = 0; i < group.units.size(); ++i) {
    const JobUnit& unit = group.units[i];
    if (unit.done() || !live_task(name, unit.name()).empty()) continue;
    if (!missing.contains(unit.task)) tasks.push_back(unit.task);
    missing[unit.task].push_back(i);
  }
  for (const auto& task : tasks) {
    std::map<size_t, std::string> units;
    for (const size_t i : missing.at(task)) units[i + 1] = group.units[i].name();
    made.push_back(
        put(script_name(group.group), name, units, dependency_of(group, missing.at(task))));
  }
}

std::string JobQueue::dependency_of(const JobGroup& group,
                                    const std::vector<size_t>& numbers) const {
  std::set<std::string> tasks;
  for (const size_t number : numbers) {
    for (const auto& place : group.units[number].after) {
      const std::string task = live_task(group_name(place.first), unit(place).name());
      if (!task.empty()) tasks.insert(task);
    }
  }
  return tasks.empty() ? "" : fmt::format("afterok:{}", fmt::join(tasks, ":"));
}

void JobQueue::submit_report(std::vector<SubmittedArray>& made) {
  const std::string queued = live_task(kReport, kReport);
  if (made.empty() && (!queued.empty() || is_folder(settings_.report))) return;
  if (!queued.empty()) slurm_.cancel({queued});  // it would come before what is new
  std::set<std::string> arrays;
  for (const auto& array : book_.arrays()) {
    for (const auto& [number, unit] : array.units) {
      if (array.name != kReport && live_task(array.name, unit) == array.task(number))
        arrays.insert(array.id);
    }
  }
  const std::string after =
      arrays.empty() ? "" : fmt::format("afterany:{}", fmt::join(arrays, ":"));
  made.push_back(put(kReportScript, kReport, {{1, kReport}}, after));
}

SubmittedArray JobQueue::put(const std::string& script, const std::string& name,
                             const std::map<size_t, std::string>& units,
                             const std::string& dependency) {
  const StopLater later;  // what is queued must be in the book
  std::string array = number_ranges(numbers_of(units));
  if (settings_.at_once > 0) array += fmt::format("%{}", settings_.at_once);
  SubmittedArray submitted{slurm_.submit(script, array, dependency), name, units};
  book_.add(submitted);
  for (const auto& [number, unit] : units) states_[submitted.task(number)] = {"PENDING", ""};
  return submitted;
}

std::string JobQueue::obstacle(const JobUnit& waiting) const {
  for (const auto& place : waiting.after) {
    const JobUnit& before = unit(place);
    if (before.state == "failed") {
      return fmt::format("needs {} {}, which failed: {}", group_name(place.first), before.name(),
                         before.why);
    }
  }
  return "";
}

JobStatus JobQueue::row(const std::string& job, const std::string& of) const {
  JobStatus status{job, of, "", "", book_.task_of(job, of), "", ""};
  if (const auto state = states_.find(status.task); state != states_.end()) {
    status.slurm = state->second.state;
    status.reason = state->second.reason;
  }
  return status;
}

std::vector<JobStatus> JobQueue::status() const {
  std::vector<JobStatus> rows;
  for (const auto& group : groups_) {
    for (const auto& unit : group.units) {
      JobStatus status = row(group_name(group.group), unit.name());
      status.state = unit.state == "missing" && !unit.after.empty() ? "waiting" : unit.state;
      status.why = unit.why.empty() ? obstacle(unit) : unit.why;
      rows.push_back(std::move(status));
    }
  }
  rows.push_back(row(kReport, kReport));
  rows.back().state = is_folder(settings_.report) ? "done" : "missing";
  return rows;
}

std::vector<std::string> JobQueue::cancel() {
  std::vector<std::string> tasks;
  for (const auto& array : book_.arrays()) {
    for (const auto& [number, unit] : array.units) {
      const auto state = states_.find(array.task(number));
      if (state != states_.end() && state->second.live()) tasks.push_back(state->first);
    }
  }
  slurm_.cancel(tasks);
  return tasks;
}

std::string job_status_text(const std::vector<JobStatus>& jobs) {
  Table table;
  table.header = {"job", "of", "state", "Slurm's", "state there", "why"};
  for (const auto& job : jobs) {
    std::string why = job.why;
    if (!job.reason.empty()) why += (why.empty() ? "" : "; ") + job.reason;
    table.rows.push_back({job.job, job.of == job.job ? "-" : job.of, job.state,
                          job.task.empty() ? "-" : job.task, job.slurm.empty() ? "-" : job.slurm,
                          why});
  }
  return write_console(table);
}

nlohmann::json job_status_json(const std::vector<JobStatus>& jobs) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& job : jobs) {
    list.push_back({{"job", job.job},
                    {"of", job.of},
                    {"state", job.state},
                    {"why", job.why},
                    {"task", job.task},
                    {"slurm_state", job.slurm},
                    {"slurm_reason", job.reason}});
  }
  return list;
}

}  // namespace kdbench
