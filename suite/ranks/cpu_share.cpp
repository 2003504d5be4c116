// SPDX-License-Identifier: MIT
#include "suite/ranks/cpu_share.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// cgroup v2's cpu.max: "<quota> <period>" or "max <period>", microseconds.
std::optional<double> quota_of(const fs::path& folder) {
  std::ifstream file(folder / "cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return std::nullopt;
  const double value = std::strtod(quota.c_str(), nullptr);
  return value > 0 ? std::optional<double>(value / period) : std::nullopt;
}

// cgroup v1: two files in the cpu controller's folder.
std::optional<double> legacy_quota_of(const fs::path& folder) {
  std::ifstream quota_file(folder / "cpu.cfs_quota_us"), period_file(folder / "cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) {
    return std::nullopt;
  }
  return quota / period;
}

}  // namespace

std::set<int> affinity_cpus() {
  std::set<int> cpus;
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &mask)) cpus.insert(cpu);
    }
  }
  // A machine with more CPUs than the mask holds: count them all.
  const int all = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  for (int cpu = 0; cpus.empty() && cpu < all; ++cpu) cpus.insert(cpu);
  if (cpus.empty()) cpus.insert(0);
  return cpus;
}

std::optional<double> cgroup_quota(const fs::path& root, const std::string& membership) {
  std::optional<double> least;
  const auto consider = [&](std::optional<double> quota) {
    if (quota && (!least || *quota < *least)) least = quota;
  };
  consider(quota_of(root));
  consider(legacy_quota_of(root / "cpu"));
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("0::/", 0) != 0) continue;  // the line of cgroup v2
    fs::path folder = root;
    for (const auto& part : fs::path(line.substr(4))) {
      folder /= part;
      consider(quota_of(folder));
    }
  }
  return least;
}

std::optional<double> cgroup_quota() {
  std::ifstream file("/proc/self/cgroup");
  std::ostringstream text;
  text << file.rdbuf();
  return cgroup_quota("/sys/fs/cgroup", text.str());
}

double cpu_share(const std::vector<std::set<int>>& cpus, size_t rank) {
  double share = 0;
  for (const int cpu : cpus.at(rank)) {
    const auto users = std::count_if(cpus.begin(), cpus.end(),
                                     [&](const std::set<int>& set) { return set.count(cpu) != 0; });
    share += 1.0 / static_cast<double>(users);
  }
  return share;
}

}  // namespace kdbench
