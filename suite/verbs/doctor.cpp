// SPDX-License-Identifier: MIT
#include <ATen/Context.h>
#include <ATen/Version.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "reports/table.h"
#include "suite/machine/device.h"
#include "suite/machine/findings.h"
#include "suite/machine/machine.h"
#include "suite/machine/provenance.h"
#include "suite/machine/self_check.h"
#include "suite/verbs/registry.h"
#include "suite/verbs/session.h"

namespace kdbench {
namespace {

constexpr std::chrono::milliseconds kWatch{500};

std::string bytes_text(int64_t bytes) { return kdbench::bytes_text(static_cast<double>(bytes)); }

// LibTorch's library for matrix products, by name and version.
std::string blas_text() {
  if (!at::hasMKL()) {
    const std::string config = at::show_config(), key = "BLAS_INFO=";
    const size_t begin = config.find(key);
    if (begin == std::string::npos) return "an unknown BLAS";
    const size_t value = begin + key.size();
    return fmt::format("BLAS {}", config.substr(value, config.find_first_of(",\n", begin) - value));
  }
  const std::string version = at::get_mkl_version();
  return version.substr(0, std::min(version.find("-Product"), version.find('\n')));
}

std::string thread_level() {
  int level = MPI_THREAD_SINGLE;
  MPI_Query_thread(&level);
  if (level == MPI_THREAD_MULTIPLE) return "multiple";
  if (level == MPI_THREAD_SERIALIZED) return "serialized";
  return level == MPI_THREAD_FUNNELED ? "funneled" : "single";
}

std::string launcher_text() {
  std::string text;
  for (const char* name : {"mpirun", "srun"}) {
    const auto program = find_program(name);
    if (!program.empty()) text += fmt::format("{}{}", text.empty() ? "" : ", ", program.string());
  }
  return text.empty() ? "no launcher on PATH" : text;
}

// Yama's rule 0 or no Yama: processes of one user may read each other's memory.
bool copies_between_ranks() {
  std::ifstream file("/proc/sys/kernel/yama/ptrace_scope");
  int scope = 0;
  file >> scope;
  return scope == 0 || geteuid() == 0;
}

Facts gather_facts(const Workspace& workspace, const nlohmann::json& build) {
  Facts facts;
  const CpuWatch watch(workspace.control, workspace.threads);
  watch.wait_for(kWatch);
  facts.cpu_use = watch.use();
  facts.hosts = host_layouts(workspace.control);
  facts.ranks = workspace.control.size();
  facts.launched = launched_processes();
  facts.job_tasks = slurm_tasks();
  facts.threads = workspace.threads;
  facts.open_mpi = build.at("mpi").get<std::string>().find("Open MPI") != std::string::npos;
  facts.launcher_on_path = !find_program("mpirun").empty() || !find_program("srun").empty();
  facts.root_user = geteuid() == 0;
  facts.root_may_launch = std::getenv("OMPI_ALLOW_RUN_AS_ROOT") != nullptr &&
                          std::getenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM") != nullptr;
  facts.cpu_capability = at::get_cpu_capability();
  facts.build_type = build.at("build_type");
  facts.built_for_gpus = built_for_gpus();
  facts.on_gpus = workspace.device.is_cuda();
  facts.copies_between_ranks = copies_between_ranks();
  workspace.control.agree([&] {
    facts.shared_memory = disk_of("/dev/shm").free_bytes;
    facts.memory = available_memory_bytes();
    facts.disk = disk_of(workspace.out).free_bytes;
  });
  return facts;
}

Table host_table(const Facts& facts) {
  Table table;
  table.header = {"host",  "ranks", {"CPUs", "cpus"}, {"cores a rank may use", "usable"},
                  "share", "bound", {"GPUs", "gpus"}};
  for (const auto& host : facts.hosts) {
    const auto [least, most] =
        std::minmax_element(host.rank_cpus.begin(), host.rank_cpus.end(),
                            [](const auto& a, const auto& b) { return a.size() < b.size(); });
    const std::string cores = least->size() == most->size()
                                  ? std::to_string(least->size())
                                  : fmt::format("{}-{}", least->size(), most->size());
    table.rows.push_back({host.name, integer_cell(host.ranks()), integer_cell(host.cpus), cores,
                          Cell(host.least_share(), fmt::format("{:.2g}", host.least_share())),
                          host.binding(), integer_cell(static_cast<int64_t>(host.gpus.size()))});
  }
  return table;
}

std::string line(const std::string& key, const std::string& value) {
  return fmt::format("{:<12}{}\n", key, value);
}

// The values of a JSON object as "key value, key value".
std::string listed(const nlohmann::json& object) {
  std::string text;
  for (const auto& [key, value] : object.items()) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key, value.get<std::string>());
  }
  return text;
}

// Of every host.
std::string load_text(const Facts& facts, const nlohmann::json& system) {
  std::string text;
  for (size_t i = 0; i < facts.cpu_use.size(); ++i) {
    const CpuUse& use = facts.cpu_use[i];
    const auto& load = system.at("hosts").at(i).at("load_1min");
    text += fmt::format("{}{}: other processes use {} of {} core{}, load {} in the last minute",
                        text.empty() ? "" : "; ", use.host,
                        use.others ? fmt::format("{:.1f}", *use.others) : "?", use.cpus,
                        use.cpus == 1 ? "" : "s",
                        load.is_null() ? "?" : fmt::format("{:.2f}", load.get<double>()));
  }
  return text;
}

std::string fact_lines(const Facts& facts, const Workspace& workspace, const nlohmann::json& build,
                       const nlohmann::json& system) {
  const Disk disk = disk_of(workspace.out);
  std::string gpus;
  for (const auto& host : facts.hosts) {
    for (const auto& gpu : host.gpus) gpus += (gpus.empty() ? "" : ", ") + gpu;
  }
  const auto& git = build.at("git");
  const nlohmann::json slurm = slurm_provenance();
  return line("processor", fmt::format("{}; {} (LibTorch uses {})",
                                       system.at("hosts").front().at("cpu").get<std::string>(),
                                       vector_features(), facts.cpu_capability)) +
         line("threads", fmt::format("{} per rank", facts.threads)) +
         line("load", load_text(facts, system)) +
         line("memory",
              fmt::format(
                  "{} available of {}", bytes_text(facts.memory),
                  bytes_text(system.at("hosts").front().at("memory_bytes").get<int64_t>()))) +
         line("/dev/shm", bytes_text(facts.shared_memory) + " free") +
         line("results", fmt::format("{}: {} free ({}, {})", workspace.out.string(),
                                     bytes_text(facts.disk), disk.mount.string(), disk.type)) +
         line("GPUs", gpus.empty() ? "none" : gpus) +
         line("MPI", fmt::format("{}, thread level {}; {}", build.at("mpi").get<std::string>(),
                                 thread_level(), launcher_text())) +
         line("NCCL", built_for_gpus() ? nccl_version() : "not built in: ranks compute on CPUs") +
         line("HDF5", build.at("hdf5").get<std::string>() + ", parallel") +
         line("LibTorch",
              fmt::format("{}, {}", build.at("libtorch").get<std::string>(), blas_text())) +
         line("compiler", fmt::format("{}; {}", build.at("compiler").get<std::string>(),
                                      build.at("flags").get<std::string>())) +
         line("kdbench",
              fmt::format("{}, {} build of commit {}{}", build.at("version").get<std::string>(),
                          build.at("build_type").get<std::string>(),
                          git.at("commit").get<std::string>().substr(0, 12),
                          git.at("clean") ? "" : " with changes")) +
         line("Slurm", slurm.empty() ? "not in a job" : listed(slurm));
}

std::string findings_text(const std::vector<Finding>& findings) {
  std::string text;
  for (const auto& finding : findings) {
    text += fmt::format("{:<7}{}\n", verdict_text(finding.verdict), finding.what);
    if (!finding.advice.empty()) text += fmt::format("       -> {}\n", finding.advice);
  }
  return text;
}

nlohmann::json findings_json(const std::vector<Finding>& findings) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& finding : findings) {
    list.push_back({{"verdict", verdict_text(finding.verdict)},
                    {"what", finding.what},
                    {"advice", finding.advice}});
  }
  return list;
}

nlohmann::json facts_json(const Facts& facts, const Workspace& workspace) {
  const Disk disk = disk_of(workspace.out);
  return {{"hosts", write_json(host_table(facts)).at("rows")},
          {"cpu_capability", facts.cpu_capability},
          {"vector_features", vector_features()},
          {"available_memory_bytes", facts.memory},
          {"shared_memory_bytes", facts.shared_memory},
          {"out", workspace.out.string()},
          {"free_disk_bytes", facts.disk},
          {"file_system", disk.type},
          {"mpi_thread_level", thread_level()}};
}

ExitCode doctor(const SessionOptions& options, const VerbContext& context) {
  const Session session(options, context, StartChecks::kLeave);
  const Workspace& workspace = session.workspace();
  const nlohmann::json build = build_provenance();
  nlohmann::json system = system_provenance(context.control, workspace.threads, workspace.device);
  const Facts facts = gather_facts(workspace, build);
  add_cpu_use(system, facts.cpu_use);
  context.control.on_root([&] {
    context.answer.text(fmt::format("{}\n{}\n", write_console(host_table(facts)),
                                    fact_lines(facts, workspace, build, system)));
    context.answer.data.update({{"facts", facts_json(facts, workspace)},
                                {"system", system},
                                {"build", build},
                                {"slurm", slurm_provenance()}});
  });
  std::vector<Finding> all{check_program(context.control), check_allreduce(workspace),
                           check_store(workspace), check_gemm(workspace)};
  for (auto& finding : findings(facts)) all.push_back(std::move(finding));
  const bool broken = std::any_of(all.begin(), all.end(), [](const Finding& finding) {
    return finding.verdict == Verdict::kBroken;
  });
  context.control.on_root([&] {
    context.answer.text(
        fmt::format("{}\n{}\n", findings_text(all), broken ? "Not usable as it is." : "Ready."));
    context.answer.data.update({{"findings", findings_json(all)}, {"ready", !broken}});
  });
  return context.control.any(broken) ? ExitCode::kMachine : ExitCode::kDone;
}

}  // namespace

Verb doctor_verb() {
  return {"doctor", "What this machine offers these ranks, what is missing and how to get it",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<SessionOptions>();
            add_session_options(app, *options);
            return [options](const VerbContext& context) { return doctor(*options, context); };
          }};
}

}  // namespace kdbench
