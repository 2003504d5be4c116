// SPDX-License-Identifier: MIT
#include "suite/machine/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "suite/machine/machine.h"

namespace kdbench {
namespace {

constexpr int64_t kLeastSharedMemory = 64 << 20;    // a rank; containers often give that in all
constexpr int64_t kLeastMemory = int64_t{2} << 30;  // a rank of a small BERT
constexpr int64_t kLeastDisk = int64_t{2} << 30;    // a few model folders

std::string bytes_text(int64_t bytes) { return kdbench::bytes_text(static_cast<double>(bytes)); }

class Rules {
 public:
  explicit Rules(const Facts& facts) : facts_(facts) {}

  std::vector<Finding> apply() {
    launching();
    cores();
    room();
    gpus();
    build();
    return std::move(findings_);
  }

 private:
  void add(Verdict verdict, std::string what, std::string advice) {
    findings_.push_back({verdict, std::move(what), std::move(advice)});
  }

  void launching() {
    Finding launch = launch_finding(facts_.ranks, facts_.launched, facts_.job_tasks);
    if (launch.verdict != Verdict::kGood) findings_.push_back(std::move(launch));
    if (!facts_.launcher_on_path) {
      add(Verdict::kNote, "neither mpirun nor srun is on PATH: only one rank can be started",
          "install the MPI's programs (Debian: openmpi-bin) or load the cluster's MPI module");
    }
    if (facts_.open_mpi && facts_.root_user && !facts_.root_may_launch) {
      add(Verdict::kNote, "Open MPI's mpirun refuses to work for root",
          "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1, or use another user");
    }
  }

  void cores() {
    for (const auto& host : facts_.hosts) {
      const double share = host.least_share();
      if (facts_.threads > share + 1e-9) {
        add(Verdict::kSlow,
            fmt::format("{}: {} ranks of {} threads, but only {:.2g} cores for each rank",
                        host.name, host.ranks(), facts_.threads, share),
            "oversubscribed ranks wait for each other: fewer ranks, or fewer --threads");
      }
      const bool one_core = std::all_of(host.rank_cpus.begin(), host.rank_cpus.end(),
                                        [](const auto& cpus) { return cpus.size() == 1; });
      if (one_core && host.ranks() < host.cpus) {
        add(Verdict::kSlow,
            fmt::format("{}: {} rank{} bound to one core each, of {} there are", host.name,
                        host.ranks(), host.ranks() == 1 ? "" : "s", host.cpus),
            "mpirun --bind-to none, or --map-by slot:PE=<cores per rank>; srun --cpus-per-task");
      }
    }
    for (const auto& host : facts_.cpu_use) {
      if (!host.shared()) continue;
      add(Verdict::kSlow, host.warning(),
          "let them end before times are measured; under Slurm `--exclusive` keeps other jobs "
          "away");
    }
    if (!facts_.copies_between_ranks && facts_.ranks > 1) {
      add(Verdict::kNote, "ranks may not read each other's memory: large messages are copied twice",
          "sysctl kernel.yama.ptrace_scope=0, or in a container --cap-add=SYS_PTRACE");
    }
  }

  void room() {
    const int here = facts_.hosts.empty() ? 1 : facts_.hosts.front().ranks();
    if (facts_.ranks > 1 && facts_.shared_memory < kLeastSharedMemory * here) {
      add(Verdict::kSlow,
          fmt::format("/dev/shm has {} free for {} ranks", bytes_text(facts_.shared_memory), here),
          "ranks of a host talk through it; in a container: --shm-size=1g, or --ipc=host");
    }
    if (facts_.memory < kLeastMemory * here) {
      add(Verdict::kNote,
          fmt::format("{} of memory for {} rank{}", bytes_text(facts_.memory), here,
                      here == 1 ? "" : "s"),
          "`kdbench run ... --dry-run` says what an experiment needs");
    }
    if (facts_.disk < kLeastDisk) {
      add(Verdict::kNote, fmt::format("{} free for results", bytes_text(facts_.disk)),
          "another --out; every run keeps its student's weights");
    }
  }

  void gpus() {
    size_t gpus = 0;
    for (const auto& host : facts_.hosts) gpus += host.gpus.size();
    const std::string are = fmt::format("{} GPU{}", gpus, gpus == 1 ? " is" : "s are");
    if (gpus == 0) {
      add(Verdict::kNote, "no NVIDIA GPU: everything runs on the CPU", "");
    } else if (!facts_.built_for_gpus) {
      add(Verdict::kNote, are + " not used: this kdbench was built without CUDA",
          "bash suite/bootstrap.sh --preset cuda");
    } else if (!facts_.on_gpus) {
      add(Verdict::kNote,
          fmt::format("{} not used by {} rank{}", are, facts_.ranks, facts_.ranks == 1 ? "" : "s"),
          "as many ranks as GPUs; --device cuda says what is in the way");
    }
  }

  void build() {
    if (facts_.build_type != "Release" && facts_.build_type != "RelWithDebInfo") {
      add(Verdict::kSlow, "this is a " + facts_.build_type + " build",
          "for measurements: bash suite/bootstrap.sh (preset release)");
    }
    if (facts_.cpu_capability == "DEFAULT" || facts_.cpu_capability == "NO AVX") {
      add(Verdict::kSlow, "LibTorch uses no vector instructions here",
          "a processor with AVX2; or unset ATEN_CPU_CAPABILITY");
    }
  }

  const Facts& facts_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> findings(const Facts& facts) { return Rules(facts).apply(); }

int launched_processes() {
  int most = 1;
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    if (const char* value = std::getenv(variable)) most = std::max(most, std::atoi(value));
  }
  return most;
}

int slurm_tasks() {
  const char* tasks = std::getenv("SLURM_NTASKS");
  return std::getenv("SLURM_JOB_ID") && tasks ? std::atoi(tasks) : 0;
}

Finding launch_finding(int ranks, int launched, int job_tasks) {
  if (launched > 1 && ranks == 1) {
    return {Verdict::kBroken,
            fmt::format("a launcher started {} processes, but each is rank 0 of 1", launched),
            "the launcher belongs to another MPI than this program: use the mpirun of the MPI that "
            "`kdbench doctor` names, or srun with the --mpi=... that it was built for (srun "
            "--mpi=list)"};
  }
  if (job_tasks > 1 && job_tasks != ranks) {
    return {Verdict::kNote,
            fmt::format("the Slurm job is for {} tasks, but there {} rank{}", job_tasks,
                        ranks == 1 ? "is 1" : fmt::format("are {}", ranks), ranks == 1 ? "" : "s"),
            "start it by srun --mpi=pmix (srun --mpi=list) or by mpirun, which take as many as the "
            "job has"};
  }
  return {};
}

std::string verdict_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood:
      return "ok";
    case Verdict::kNote:
      return "note";
    case Verdict::kSlow:
      return "slow";
    case Verdict::kBroken:
      return "BROKEN";
  }
  return "";
}

}  // namespace kdbench
