// SPDX-License-Identifier: MIT
#include "suite/machine/host_layout.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/base/host_name.h"
#include "suite/machine/machine.h"
#include "suite/ranks/cpu_share.h"

namespace kdbench {
namespace {

nlohmann::json this_rank() {
  return {{"host", host_name()},
          {"online", static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN))},
          {"cpus", affinity_cpus()},
          {"quota", cgroup_quota().value_or(0.0)},
          {"gpus", gpu_names()}};
}

}  // namespace

std::string HostLayout::binding() const {
  const bool alike = std::all_of(rank_cpus.begin(), rank_cpus.end(),
                                 [&](const auto& set) { return set == rank_cpus.front(); });
  if (alike && static_cast<int>(rank_cpus.front().size()) >= cpus) return "to no core";
  std::set<int> all;
  size_t sum = 0;
  for (const auto& set : rank_cpus) {
    all.insert(set.begin(), set.end());
    sum += set.size();
  }
  if (all.size() == sum) return "apart";
  return alike ? "to the same cores" : "overlapping";
}

double HostLayout::least_share() const {
  double least = quota > 0 ? quota / ranks() : cpus;
  for (size_t rank = 0; rank < rank_cpus.size(); ++rank) {
    least = std::min(least, cpu_share(rank_cpus, rank));
  }
  return least;
}

std::vector<HostLayout> host_layouts(const Control& control) {
  std::vector<HostLayout> hosts;
  for (const auto& text : control.gather(this_rank().dump())) {
    const auto rank = nlohmann::json::parse(text);
    const std::string name = rank.at("host");
    auto host = std::find_if(hosts.begin(), hosts.end(),
                             [&](const HostLayout& known) { return known.name == name; });
    if (host == hosts.end()) {
      host = hosts.insert(hosts.end(), HostLayout{name,
                                                  rank.at("online").get<int>(),
                                                  {},
                                                  rank.at("quota").get<double>(),
                                                  rank.at("gpus").get<std::vector<std::string>>()});
    }
    host->rank_cpus.push_back(rank.at("cpus").get<std::set<int>>());
  }
  return hosts;
}

}  // namespace kdbench
