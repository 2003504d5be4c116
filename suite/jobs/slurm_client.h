// SPDX-License-Identifier: MIT
// Slurm's own programs, each called in the folder of the job scripts, after its site.sh, with the
// environment that this program was started with (MPI adds to it what jobs must not inherit).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace kdbench {

// Of one task of an array.
struct TaskState {
  std::string state;   // Slurm's word: "PENDING", "RUNNING", "COMPLETED", ...
  std::string reason;  // why it is pending, or was ended; "" where Slurm has none

  // It may still run: it must not be submitted again.
  bool live() const;
};

class SlurmClient {
 public:
  explicit SlurmClient(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // The array's id. `array`: "1-3,5%8"; `dependency`: "afterok:12:13", or "". Throws a machine
  // error.
  std::string submit(const std::string& script, const std::string& array,
                     const std::string& dependency) const;
  // Of the arrays' tasks by "12_3", as far as Slurm still knows them: the queue, and the
  // accounting where there is some. Throws a machine error where there is no Slurm.
  std::map<std::string, TaskState> states(const std::vector<std::string>& arrays) const;
  // Tasks ("12_3"). Throws a machine error.
  void cancel(const std::vector<std::string>& tasks) const;
  // The value of a variable that site.sh sets, "" without one. Throws a user error where site.sh
  // fails.
  std::string site_value(const std::string& variable) const;

 private:
  struct Answer {
    int code = 0;
    std::string output, errors;
  };
  Answer call(const std::vector<std::string>& command) const;

  std::filesystem::path folder_;
};

// The lines of squeue's and sacct's answers, "12_3|PENDING|Dependency", as states.
std::map<std::string, TaskState> parse_states(const std::string& lines);

}  // namespace kdbench
