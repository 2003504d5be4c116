// SPDX-License-Identifier: MIT
#include "suite/stages/plan.h"

#include <unistd.h>

#include <algorithm>

#include "io/base/error.h"
#include "suite/machine/machine.h"
#include "suite/machine/provenance.h"
#include "suite/results/run_record.h"
#include "suite/stages/checks.h"
#include "suite/stages/output_budget.h"
#include "suite/stages/synthetic.h"
#include "suite/stages/task_plan.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// Takes the embedded corpora for the time of a plan, so that the results' folder stays untouched.
class TemporaryFolder {
 public:
  // Makes none where none is needed: `path` is then empty.
  explicit TemporaryFolder(bool needed) {
    if (!needed) return;
    std::string name = (fs::temp_directory_path() / "kdbench-plan-XXXXXX").string();
    if (!mkdtemp(name.data())) throw_machine_error(name, "cannot be made", "set TMPDIR");
    path = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path.empty()) fs::remove_all(path, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  fs::path path;
};

// The stage whose folder in `out` is named as the temporary one.
StagePlan plan_corpora(const Experiment& experiment, const fs::path& out) {
  const std::string hash = experiment.data.root.filename().string();
  StagePlan stage{"synthetic", "the embedded corpora", hash,
                  fs::exists(out / ".stages" / hash / "stage.json"), 0};
  for (const auto& entry : fs::recursive_directory_iterator(experiment.data.root)) {
    if (entry.is_regular_file()) stage.bytes += static_cast<int64_t>(entry.file_size());
  }
  return stage;
}

PlanLimits limits_of(int ranks, const Workspace& workspace) {
  PlanLimits limits;
  limits.ranks_per_host = ranks == workspace.control.size() ? workspace.control.local_size()
                                                            : std::min(ranks, usable_cpus());
  limits.available_memory = available_memory_bytes();
  limits.free_disk = disk_of(workspace.out).free_bytes;
  const bool apart = !workspace.control.host().obstacle().empty();
  limits.outputs =
      output_budget(limits.free_disk, limits.available_memory, apart ? limits.ranks_per_host : 1);
  return limits;
}

}  // namespace

int64_t Plan::peak_bytes() const {
  int64_t largest = 0;
  for (const auto& one : work) {
    largest = std::max(largest, one.training.memory.total() + one.teacher_outputs);
  }
  return program_bytes + features_bytes + largest;
}

int64_t Plan::new_disk_bytes() const {
  int64_t bytes = 0;
  for (const auto& stage : stages) bytes += stage.reused ? 0 : stage.bytes;
  return bytes;
}

Plan make_plan(const Experiment& asked, int ranks, const Workspace& workspace) {
  Plan plan;
  plan.ranks = ranks;
  plan.program_bytes = peak_memory_bytes();
  plan.limits = limits_of(ranks, workspace);
  const Control alone(MPI_COMM_SELF);
  const auto collectives = make_single_collectives();
  const Workspace dry{alone,         *collectives,      at::kMeta, workspace.threads,
                      workspace.out, workspace.command, true};
  const TemporaryFolder temporary(asked.data.synthetic);
  const Experiment experiment = with_data_in_place(
      asked, {alone, *collectives, at::kMeta, workspace.threads, temporary.path, "", true});
  if (experiment.data.synthetic) plan.stages.push_back(plan_corpora(experiment, workspace.out));
  Problems problems;
  check_models(experiment, problems);
  OutputBudget budget = plan.limits.outputs;
  std::vector<TaskPlanner> tasks;
  for (const auto& name : experiment.data.tasks) {
    tasks.emplace_back(experiment, find_task(name), dry, plan, problems);
  }
  for (auto& task : tasks) task.read();
  for (auto& task : tasks) task.plan(budget);
  throw_each_once(problems, experiment.file.string());
  return plan;
}

}  // namespace kdbench
