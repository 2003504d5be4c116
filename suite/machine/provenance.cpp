// SPDX-License-Identifier: MIT
#include "suite/machine/provenance.h"

#include <fmt/format.h>
#include <hdf5.h>
#include <sys/resource.h>
#include <torch/cuda.h>
#include <torch/version.h>
#include <unicode/uversion.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "io/base/host_name.h"
#include "suite/machine/build_facts.h"
#include "suite/machine/device.h"
#include "suite/machine/host_layout.h"
#include "suite/ranks/cpu_share.h"

namespace kdbench {
namespace {

#if defined(__clang__)
constexpr const char* kCompiler = "Clang " __clang_version__;
#elif defined(__GNUC__)
constexpr const char* kCompiler = "GNU " __VERSION__;
#else
constexpr const char* kCompiler = "unknown";
#endif

std::string mpi_library() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string whole(text, static_cast<size_t>(length));
  return whole.substr(0, whole.find_first_of(",\n"));
}

std::string hdf5_library() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

// Null where the system does not say.
nlohmann::json load_of_a_minute() {
  double load = 0.0;
  return getloadavg(&load, 1) == 1 ? nlohmann::json(load) : nlohmann::json();
}

// This rank's machine, as the other ranks see it.
nlohmann::json this_host() {
  const auto pages = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES));
  return {{"name", host_name()},
          {"cpu", cpu_model()},
          {"cpus", static_cast<int64_t>(sysconf(_SC_NPROCESSORS_ONLN))},
          {"memory_bytes", pages * static_cast<int64_t>(sysconf(_SC_PAGESIZE))},
          {"gpus", static_cast<int64_t>(torch::cuda::device_count())},
          {"load_1min", load_of_a_minute()}};
}

int whole_cpus(double cpus) { return std::max(1, static_cast<int>(std::floor(cpus + 1e-9))); }

// CPUs that this rank can count on, at least a fraction of one. Collective.
double share_of_cpus(const Control& control) {
  const std::string host = host_name();
  nlohmann::json mine{{"host", host}, {"cpus", affinity_cpus()}};
  std::vector<std::set<int>> cpus;  // of the ranks on this host
  size_t own = 0;
  const auto ranks = control.gather(mine.dump());
  for (size_t rank = 0; rank < ranks.size(); ++rank) {
    const auto other = nlohmann::json::parse(ranks[rank]);
    if (other.at("host") != host) continue;
    if (static_cast<int>(rank) == control.rank()) own = cpus.size();
    cpus.push_back(other.at("cpus").get<std::set<int>>());
  }
  const double share = cpu_share(cpus, own);
  const auto quota = cgroup_quota();
  return quota ? std::min(share, *quota / static_cast<double>(cpus.size())) : share;
}

}  // namespace

nlohmann::json build_provenance() {
  const BuildFacts build = build_facts();
  return {{"version", build.version},
          {"compiler", kCompiler},
          {"flags", build.cxx_flags},
          {"build_type", build.build_type},
          {"libtorch", TORCH_VERSION},
          {"mpi", mpi_library()},
          {"nccl", nccl_version().empty() ? nlohmann::json() : nlohmann::json(nccl_version())},
          {"hdf5", hdf5_library()},
          {"icu", U_ICU_VERSION},
          {"git", {{"commit", build.git_commit}, {"clean", build.git_clean}}}};
}

nlohmann::json system_provenance(const Control& control, int threads, c10::Device device) {
  nlohmann::json mine = this_host();
  mine["usable"] = usable_cpus();
  std::vector<std::string> order;
  std::map<std::string, nlohmann::json> hosts;
  for (const auto& text : control.gather(mine.dump())) {
    nlohmann::json host = nlohmann::json::parse(text);
    const std::string name = host.at("name");
    if (!hosts.count(name)) {
      order.push_back(name);
      host["ranks"] = 0;
      hosts[name] = host;
    }
    hosts[name]["ranks"] = hosts[name]["ranks"].get<int>() + 1;
  }
  nlohmann::json list = nlohmann::json::array();
  for (const auto& name : order) list.push_back(hosts[name]);
  return {{"hosts", list},
          {"ranks", control.size()},
          {"threads_per_rank", threads},
          {"device", device_text(device)}};
}

void add_cpu_use(nlohmann::json& system, const std::vector<CpuUse>& hosts) {
  for (auto& host : system.at("hosts")) {
    for (const auto& use : hosts) {
      if (use.host != host.at("name")) continue;
      host["cpus_of_others"] = use.others ? nlohmann::json(*use.others) : nlohmann::json();
      host["cpus_shared"] = use.shared();
    }
  }
}

nlohmann::json slurm_provenance() {
  // key in run.json, environment variable
  static const std::vector<std::pair<const char*, const char*>> fields{
      {"job_id", "SLURM_JOB_ID"},
      {"job_name", "SLURM_JOB_NAME"},
      {"cluster", "SLURM_CLUSTER_NAME"},
      {"partition", "SLURM_JOB_PARTITION"},
      {"nodes", "SLURM_JOB_NUM_NODES"},
      {"node_list", "SLURM_JOB_NODELIST"},
      {"tasks", "SLURM_NTASKS"},
      {"cpus_per_task", "SLURM_CPUS_PER_TASK"},
      {"array_job_id", "SLURM_ARRAY_JOB_ID"},
      {"array_task_id", "SLURM_ARRAY_TASK_ID"},
      {"restart_count", "SLURM_RESTART_COUNT"}};
  nlohmann::json json = nlohmann::json::object();
  if (!std::getenv("SLURM_JOB_ID")) return json;
  for (const auto& [key, variable] : fields) {
    if (const char* value = std::getenv(variable)) json[key] = value;
  }
  return json;
}

std::string shell_quoted(const std::string& argument) {
  const std::string plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-";
  if (!argument.empty() && argument.find_first_not_of(plain) == std::string::npos) return argument;
  std::string text = "'";
  for (const char c : argument) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string command_line(int argc, char** argv) {
  std::string text;
  for (int i = 0; i < argc; ++i) {
    if (i) text += ' ';
    text += shell_quoted(argv[i]);
  }
  return text;
}

int usable_cpus() {
  const auto cpus = static_cast<double>(affinity_cpus().size());
  return whole_cpus(std::min(cpus, cgroup_quota().value_or(cpus)));
}

int threads_per_rank(const Control& control, int requested) {
  const double share = share_of_cpus(control);
  const int threads = requested > 0 ? requested : whole_cpus(share);
  if (control.any(threads > share + 1e-9) && control.root()) {
    const std::string text = fmt::format(
        "kdbench: warning: {} ranks with {} threads each are more than the cores they may use "
        "(this "
        "rank's share: {:.2g})\n",
        control.size(), threads, share);
    std::fputs(text.c_str(), stderr);
  }
  return threads;
}

int64_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stoll(line.substr(6)) * 1024;
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<int64_t>(usage.ru_maxrss) * 1024;
}

// getrusage's own maximum cannot be reset; VmHWM can.
void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

}  // namespace kdbench
