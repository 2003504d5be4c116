// SPDX-License-Identifier: MIT
#include "suite/machine/cpu_watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "io/base/host_name.h"

namespace kdbench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMuch = 0.5;       // CPUs
constexpr double kShortest = 0.05;  // seconds; the kernel counts in hundredths

double process_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

std::string kernel_counts() {
  std::ifstream file("/proc/stat");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::set<int> all_cpus(const HostLayout& host) {
  std::set<int> all;
  for (const auto& cpus : host.rank_cpus) all.insert(cpus.begin(), cpus.end());
  return all;
}

}  // namespace

bool CpuUse::shared() const {
  return others && *others - std::max(0.0, static_cast<double>(cpus) - threads) > kMuch;
}

std::string CpuUse::warning() const {
  return fmt::format(
      "host {}: other processes use about {:.1f} of {} core{}: times are not comparable", host,
      others.value_or(0.0), cpus, cpus == 1 ? "" : "s");
}

CpuWatch::CpuWatch(const Control& control, int threads)
    : control_(control), threads_(threads), hosts_(host_layouts(control)) {
  const std::string here = host_name();
  for (const auto& host : hosts_) {
    if (host.name == here) cpus_ = all_cpus(host);
  }
  control_.barrier();
  first_ = sample();
}

CpuWatch::Sample CpuWatch::sample() const {
  Sample now{Clock::now(), process_seconds(), std::nullopt};
  if (control_.local_rank() == 0) {
    now.busy = busy_seconds(kernel_counts(), cpus_, static_cast<double>(sysconf(_SC_CLK_TCK)));
  }
  return now;
}

void CpuWatch::wait_for(std::chrono::milliseconds least) const {
  std::this_thread::sleep_until(first_.when + least);
}

std::vector<CpuUse> CpuWatch::use() const {
  control_.barrier();  // so that all ranks' spans are one
  const Sample now = sample();
  const double seconds = std::chrono::duration<double>(now.when - first_.when).count();
  nlohmann::json mine{
      {"host", host_name()}, {"threads", threads_}, {"own", (now.own - first_.own) / seconds}};
  if (now.busy && first_.busy && seconds >= kShortest) {
    mine["busy"] = (*now.busy - *first_.busy) / seconds;
  }
  std::vector<CpuUse> hosts;
  for (const auto& host : hosts_) {
    hosts.push_back({host.name, static_cast<int>(all_cpus(host).size()), 0.0, std::nullopt});
  }
  std::vector<double> own(hosts.size());
  for (const auto& text : control_.gather(mine.dump())) {
    const auto rank = nlohmann::json::parse(text);
    for (size_t i = 0; i < hosts.size(); ++i) {
      if (hosts[i].host != rank.at("host")) continue;
      hosts[i].threads += rank.at("threads").get<double>();
      own[i] += rank.at("own").get<double>();
      if (rank.contains("busy")) hosts[i].others = rank.at("busy").get<double>();
    }
  }
  for (size_t i = 0; i < hosts.size(); ++i) {
    if (hosts[i].others) hosts[i].others = std::max(0.0, *hosts[i].others - own[i]);
  }
  return hosts;
}

std::optional<double> busy_seconds(const std::string& stat, const std::set<int>& cpus,
                                   double ticks_per_second) {
  double ticks = 0.0;
  size_t found = 0;
  std::istringstream lines(stat);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    double user = 0.0, nice = 0.0, system = 0.0;  // the rest is no process's
    if (!(words >> name >> user >> nice >> system) || name.rfind("cpu", 0) != 0) continue;
    if (name.size() == 3 || !cpus.contains(std::atoi(name.c_str() + 3))) continue;
    ticks += user + nice + system;
    ++found;
  }
  return found == cpus.size() ? std::optional(ticks / ticks_per_second) : std::nullopt;
}

}  // namespace kdbench
