// SPDX-License-Identifier: MIT
// Which CPUs a process may use, and how ranks that may use the same ones share them.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace kdbench {

// Logical CPUs of this process's affinity mask.
std::set<int> affinity_cpus();

// CPUs that the cgroup's time quota is worth (1.5 for 150 ms in 100 ms); nullopt without a quota.
// The least of the process's cgroup and its parents. `root`: where cgroups are mounted;
// `membership`: the text of /proc/self/cgroup.
std::optional<double> cgroup_quota(const std::filesystem::path& root,
                                   const std::string& membership);
std::optional<double> cgroup_quota();

// What `rank` gets of its CPUs when every CPU is divided evenly among the ranks of one host that
// may use it (`cpus`: one set a rank): its own number of CPUs when ranks are bound apart, 1/n of
// them when n ranks may use the same ones.
double cpu_share(const std::vector<std::set<int>>& cpus, size_t rank);

}  // namespace kdbench
