// SPDX-License-Identifier: MIT
// jobs.json beside the job scripts: what was submitted, so that a later call finds its jobs again.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "suite/graph/stage_groups.h"

namespace kdbench {

// One array of jobs.
struct SubmittedArray {
  std::string id;                       // Slurm's
  std::string name;                     // "teachers", ..., "report"
  std::map<size_t, std::string> units;  // by the task's number: JobUnit::name()

  // Slurm's name of a task of it: "12_3".
  std::string task(size_t number) const { return id + "_" + std::to_string(number); }
};

class JobBook {
 public:
  // What the folder has, if anything. `what`: the experiment with all that decides its jobs; a
  // folder of something else is a user error. Local.
  JobBook(const std::filesystem::path& folder, nlohmann::json what);

  const std::vector<SubmittedArray>& arrays() const { return arrays_; }
  std::vector<std::string> ids() const;
  // Slurm's name of the task that was last submitted for a unit; "" if none was.
  std::string task_of(const std::string& name, const std::string& unit) const;
  // Written at once. Throws a machine error.
  void add(SubmittedArray array);

 private:
  std::filesystem::path file_;
  nlohmann::json what_;
  std::vector<SubmittedArray> arrays_;
};

}  // namespace kdbench
