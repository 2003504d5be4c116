// SPDX-License-Identifier: MIT
// How much of the CPUs other processes had while these ranks were at work: times that were measured
// beside others do not compare. From the kernel's count of what each CPU did, less what the ranks
// took themselves; an average of the load would still hold what an earlier job of one's own left.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "suite/machine/host_layout.h"
#include "suite/ranks/control.h"

namespace kdbench {

// On one host, over a span of time.
struct CpuUse {
  std::string host;
  int cpus = 0;                  // that its ranks may use
  double threads = 0.0;          // of its ranks, together
  std::optional<double> others;  // CPUs that other processes had of those; not known: nothing

  // Others took more than half a CPU of those that the ranks' own threads have work for.
  bool shared() const;
  // "host vm: other processes use about 1.2 of 2 cores: times are not comparable".
  std::string warning() const;
};

// Watches from its construction on.
class CpuWatch {
 public:
  // `threads`: of this rank. Collective.
  CpuWatch(const Control& control, int threads);

  // Sleeps until it has watched for so long: a moment says little. Local.
  void wait_for(std::chrono::milliseconds least) const;
  // Since the construction, of each host in order of its first rank, on every rank. Collective.
  std::vector<CpuUse> use() const;

 private:
  struct Sample {
    std::chrono::steady_clock::time_point when;
    double own = 0.0;            // seconds that this process had
    std::optional<double> busy;  // seconds that all processes had of cpus_
  };
  Sample sample() const;

  const Control& control_;
  double threads_;
  std::vector<HostLayout> hosts_;
  std::set<int> cpus_;  // of this host, that its ranks may use
  Sample first_;
};

// Seconds that processes have had of `cpus`, from the text of /proc/stat, which counts in ticks;
// nothing where one of them is not listed.
std::optional<double> busy_seconds(const std::string& stat, const std::set<int>& cpus,
                                   double ticks_per_second);

}  // namespace kdbench
