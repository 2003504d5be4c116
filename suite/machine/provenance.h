// SPDX-License-Identifier: MIT
// What produced a result: source revision, build, machine, job. Environment variables by whitelist
// only.
#pragma once

#include <c10/core/Device.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "suite/machine/cpu_watch.h"
#include "suite/ranks/control.h"

namespace kdbench {

// Compiler, flags, build type, library versions, git commit and tree state at build.
nlohmann::json build_provenance();
// Hosts, CPU model, cores, memory, GPUs, ranks, threads, the device that is computed on.
// Collective.
nlohmann::json system_provenance(const Control& control, int threads,
                                 c10::Device device = c10::kCPU);
// Adds to each host what other processes had of its CPUs ("cpus_of_others", null where that is not
// known), and whether that was so much that times do not compare ("cpus_shared").
void add_cpu_use(nlohmann::json& system, const std::vector<CpuUse>& hosts);
nlohmann::json slurm_provenance();  // SLURM_JOB_ID, ... ; empty object outside Slurm
// An argument as a shell takes it.
std::string shell_quoted(const std::string& argument);
std::string command_line(int argc, char** argv);

// Logical CPUs this process may use (affinity mask, cgroup quota).
int usable_cpus();
// Threads for each rank: `requested` if > 0, else the usable CPUs shared among the ranks of this
// host that may use the same ones, at least 1. Collective.
int threads_per_rank(const Control& control, int requested);
// Peak resident memory of this process in bytes since reset_peak_memory() (where the system cannot
// reset it: since the start).
int64_t peak_memory_bytes();
void reset_peak_memory();

}  // namespace kdbench
