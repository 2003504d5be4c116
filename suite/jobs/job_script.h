// SPDX-License-Identifier: MIT
// The text of a job: what Slurm is asked for, which unit an array's task makes, and slurm/job.sh.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "suite/walks/job_plan.h"

namespace kdbench {

struct JobSettings {
  std::string experiment;              // its name
  std::filesystem::path program;       // of kdbench
  std::filesystem::path working;       // where relative paths of the arguments begin
  std::filesystem::path results;       // <out>/<experiment>
  std::vector<std::string> arguments;  // of `kdbench run` for all jobs: the file, --out, --set ...
  std::filesystem::path report;        // the folder of the report
  int nodes = 1, ranks_per_node = 1, cpus_per_rank = 1;
  bool gpus = false;               // one for each rank
  int at_once = 0;                 // tasks of an array at the same time; 0: all
  int64_t most_minutes = 24 * 60;  // what the queue allows
  int64_t rank_bytes = 0;          // of a rank, as finished runs had it
  bool time_known = true;          // else a job may take all that the queue allows
};

// A script's name: "teachers.sh".
std::string script_name(StageGroup group);
inline constexpr const char* kReportScript = "report.sh";

// An array of jobs, one a unit, counted from 1. It must be submitted from its folder, beside
// site.sh and logs/.
std::string job_script(const JobGroup& group, const JobSettings& settings);
// After all others.
std::string report_script(const JobSettings& settings);

// What Slurm is asked for: twice the estimate and ten minutes, in steps of five minutes and no more
// than the queue allows; the estimate, or what finished runs had, with half as much again and half
// a gigabyte for each rank's libraries and buffers.
int64_t job_minutes(const JobGroup& group, const JobSettings& settings);
int64_t job_megabytes(const JobGroup& group, const JobSettings& settings);
int job_nodes(const JobGroup& group, const JobSettings& settings);

// "1-3,5": numbers as --array takes them. `numbers` ascend.
std::string number_ranges(const std::vector<size_t>& numbers);

}  // namespace kdbench
