// SPDX-License-Identifier: MIT
// The jobs of an experiment in Slurm's queue: submits those that are missing, says how each stands,
// cancels them.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "suite/jobs/job_book.h"
#include "suite/jobs/job_script.h"
#include "suite/jobs/slurm_client.h"

namespace kdbench {

// One unit, in the results and in the queue.
struct JobStatus {
  std::string job, of;        // "teachers", "MRPC kd seed 1"
  std::string state, why;     // of its stages: done | running | failed | waiting | missing
  std::string task;           // Slurm's, "12_3"; "" where nothing was submitted
  std::string slurm, reason;  // its state, and why; "" where Slurm does not know it any more
};

class JobQueue {
 public:
  // `folder`: of the scripts. Asks Slurm.
  JobQueue(std::filesystem::path folder, JobSettings settings, std::vector<JobGroup> groups,
           JobBook book);

  // What is neither there nor queued: an array for each group and task, after those that make what
  // it needs, and the report after all. Returns the new arrays. Throws user and machine errors;
  // what was submitted until then is in the book.
  std::vector<SubmittedArray> submit();
  std::vector<JobStatus> status() const;
  // All that may still run. Returns Slurm's names of them.
  std::vector<std::string> cancel();

 private:
  const JobUnit& unit(const std::pair<StageGroup, size_t>& place) const;
  // Slurm's name of the unit's task if it may still run, else "".
  std::string live_task(const std::string& name, const std::string& unit) const;
  void submit_group(const JobGroup& group, std::vector<SubmittedArray>& made);
  std::string dependency_of(const JobGroup& group, const std::vector<size_t>& numbers) const;
  void submit_report(std::vector<SubmittedArray>& made);
  SubmittedArray put(const std::string& script, const std::string& name,
                     const std::map<size_t, std::string>& units, const std::string& dependency);
  // Of units that are not done: the failed one among those before, if any.
  std::string obstacle(const JobUnit& unit) const;
  JobStatus row(const std::string& job, const std::string& of) const;

  const std::filesystem::path folder_;
  const JobSettings settings_;
  const std::vector<JobGroup> groups_;
  JobBook book_;
  const SlurmClient slurm_;
  std::map<std::string, TaskState> states_;  // by "12_3"
};

std::string job_status_text(const std::vector<JobStatus>& jobs);
nlohmann::json job_status_json(const std::vector<JobStatus>& jobs);

}  // namespace kdbench
