// SPDX-License-Identifier: MIT
// How the ranks lie on hosts and CPUs.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "suite/ranks/control.h"

namespace kdbench {

struct HostLayout {
  std::string name;
  int cpus = 0;                          // logical CPUs of the host
  std::vector<std::set<int>> rank_cpus;  // those each rank here may use
  double quota = 0.0;                    // CPUs that the job's time quota is worth; 0: no quota
  std::vector<std::string> gpus;         // by name

  int ranks() const { return static_cast<int>(rank_cpus.size()); }
  // "to no core" (every rank may use every CPU), "apart" (no CPU belongs to two ranks), "to the
  // same cores" (all ranks to the same part of the host) or "overlapping".
  std::string binding() const;
  // CPUs that the poorest rank can count on, when those it shares and the quota are divided evenly.
  double least_share() const;
};

// In order of the hosts' first ranks, on every rank. Collective.
std::vector<HostLayout> host_layouts(const Control& control);

}  // namespace kdbench
