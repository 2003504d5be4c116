// SPDX-License-Identifier: MIT
// What is missing or slow on a machine, and how to mend it: pure rules over facts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "suite/machine/cpu_watch.h"
#include "suite/machine/host_layout.h"

namespace kdbench {

enum class Verdict { kGood, kNote, kSlow, kBroken };

struct Finding {
  Verdict verdict = Verdict::kGood;
  std::string what;
  std::string advice;  // empty: nothing to do
};

struct Facts {
  std::vector<HostLayout> hosts;
  int ranks = 1;
  int launched = 1;   // processes that a launcher says it has started (launched_processes)
  int job_tasks = 0;  // those that the Slurm job is for (slurm_tasks)
  int threads = 1;    // per rank
  bool open_mpi = true;
  bool launcher_on_path = true;  // mpirun or srun
  bool root_user = false;
  bool root_may_launch = true;  // Open MPI's two variables are set
  std::string cpu_capability;   // LibTorch's: "AVX512", "AVX2", "DEFAULT"
  std::string build_type;       // CMake's
  bool built_for_gpus = false;
  bool on_gpus = false;              // each rank has its own
  bool copies_between_ranks = true;  // the kernel lets ranks read each other's memory
  std::vector<CpuUse> cpu_use;       // while nothing was computed here
  int64_t shared_memory = 0;         // bytes free in /dev/shm
  int64_t memory = 0;                // bytes available on this host
  int64_t disk = 0;                  // bytes free for results
};

// In the order of the rules; empty when there is nothing to say.
std::vector<Finding> findings(const Facts& facts);

// From the variables of Open MPI's, MPICH's and Slurm's launchers; 1 without them.
int launched_processes();
// Tasks of the Slurm job, or of its step, that this process is in; 0 outside.
int slurm_tasks();

// Whether the ranks are those that were asked for: launched processes that know nothing of each
// other are n runs of one rank, all at the same work. Good where nothing is to be said.
Finding launch_finding(int ranks, int launched, int job_tasks);

// "ok", "note", "slow", "BROKEN".
std::string verdict_text(Verdict verdict);

}  // namespace kdbench
