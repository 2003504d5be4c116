// SPDX-License-Identifier: MIT
#include "suite/walks/plan.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <map>
#include <set>

#include "io/base/error.h"
#include "suite/machine/gemm_speed.h"
#include "suite/machine/machine.h"
#include "suite/machine/provenance.h"
#include "suite/walks/looking.h"
#include "suite/walks/make.h"

namespace kdbench {
namespace {

constexpr double kGemmSeconds = 0.05;
// What a training step makes of the speed of matrix products, about (tests/bench/README.md).
constexpr double kShareOfGemm = 0.5;

int ranks_per_host(const PlanTarget& target, const Control& control) {
  if (target.ranks_per_host > 0) return std::min(target.ranks, target.ranks_per_host);
  if (target.ranks == control.size()) return control.local_size();
  return std::min(target.ranks, usable_cpus());
}

// Of a rank, with its part of the host's cores if other ranks than these are planned for.
double measure_rank(const PlanTarget& target, int ranks_per_host, const Workspace& workspace) {
  if (target.ranks == workspace.control.size()) return measure_gemm(kGemmSeconds).flops_per_s;
  at::set_num_threads(std::clamp(usable_cpus() / ranks_per_host, 1, workspace.threads));
  const double speed = measure_gemm(kGemmSeconds).flops_per_s;
  at::set_num_threads(workspace.threads);
  return speed;
}

PlanLimits limits_of(const PlanTarget& target, const Workspace& workspace) {
  PlanLimits limits;
  limits.ranks_per_host = ranks_per_host(target, workspace.control);
  limits.available_memory =
      target.memory_bytes > 0 ? target.memory_bytes : available_memory_bytes();
  limits.free_disk = target.disk_bytes > 0 ? target.disk_bytes : disk_of(workspace.out).free_bytes;
  limits.flops_per_s = target.flops_per_s > 0.0
                           ? target.flops_per_s
                           : measure_rank(target, limits.ranks_per_host, workspace);
  limits.training_flops_per_s = target.training_flops_per_s > 0.0
                                    ? target.training_flops_per_s
                                    : kShareOfGemm * limits.flops_per_s;
  limits.copies = workspace.control.host().obstacle().empty() ? 1 : limits.ranks_per_host;
  limits.outputs = output_budget(limits.free_disk, limits.available_memory, limits.copies);
  return limits;
}

// Adds stage by stage.
class Planner {
 public:
  Planner(Plan& plan, Existing existing, const Workspace& workspace)
      : plan_(plan), existing_(existing), workspace_(workspace), costs_(plan.ranks) {}

  void add(Stage& stage) {
    const Cost cost = stage.cost(costs_, workspace_);
    const bool done =
        existing_ == Existing::kReuse && stage.look(workspace_).kind == StageState::Kind::kDone;
    const double speed = plan_.limits.training_flops_per_s * plan_.ranks;
    for (const auto& split : cost.splits) {
      plan_.splits.push_back({stage.task(), split.name, split.rows, split.tokens, split.longest});
    }
    rows_bytes_[stage.task()] += cost.rows_bytes;
    const int64_t shared_bytes = rows_bytes_[stage.task()] + cost.outputs_bytes;
    plan_.stages.push_back({.kind = stage.kind(),
                            .what = stage.title(),
                            .name = stage.name(workspace_),
                            .reused = done,
                            .bytes = cost.disk_bytes,
                            .flops = cost.flops,
                            .seconds = cost.flops / speed,
                            .label = cost.work ? cost.work->label : "",
                            .seed = cost.work ? cost.work->seed : 0,
                            .rank_bytes = cost.memory_bytes,
                            .shared_bytes = shared_bytes});
    plan_.shared_bytes = std::max(plan_.shared_bytes, shared_bytes);
    plan_.training_bytes = std::max(plan_.training_bytes, cost.memory_bytes);
    if (cost.work) add_work(stage, cost);
  }

  // Of each task the models that others learn from come first.
  void sort_work() {
    std::map<std::string, size_t> order;  // of the tasks
    for (const auto& work : plan_.work) order.emplace(work.task, order.size());
    std::stable_sort(plan_.work.begin(), plan_.work.end(), [&](const auto& a, const auto& b) {
      return std::make_pair(order[a.task], !sources_.contains(a.label)) <
             std::make_pair(order[b.task], !sources_.contains(b.label));
    });
  }

 private:
  void add_work(const Stage& stage, const Cost& cost) {
    if (stage.kind() != "run") sources_.insert(cost.work->label);
    auto& place = places_[{stage.task(), cost.work->label}];
    if (place == 0) {
      plan_.work.push_back({stage.task(),
                            cost.work->label,
                            {},
                            cost.work->summary->parameters,
                            cost.work->summary->cost,
                            cost.outputs_bytes,
                            cost.work->teacher_flops});
      place = plan_.work.size();
    }
    plan_.work[place - 1].seeds.push_back(cost.work->seed);
  }

  Plan& plan_;
  const Existing existing_;
  const Workspace& workspace_;
  TrainingCosts costs_;
  std::map<std::string, int64_t> rows_bytes_;                     // by task
  std::map<std::pair<std::string, std::string>, size_t> places_;  // in plan_.work, from 1
  std::set<std::string> sources_;                                 // labels
};

}  // namespace

int64_t Plan::new_disk_bytes() const {
  int64_t bytes = 0;
  for (const auto& stage : stages) bytes += stage.reused ? 0 : stage.bytes;
  return bytes;
}

double Plan::seconds() const {
  double sum = 0.0;
  for (const auto& stage : stages) sum += stage.reused ? 0.0 : stage.seconds;
  return sum;
}

Plan begin_plan(const PlanTarget& target, const Workspace& workspace) {
  Plan plan;
  plan.ranks = target.ranks;
  plan.program_bytes = peak_memory_bytes();
  plan.limits = limits_of(target, workspace);
  return plan;
}

void add_stages(Looking& looking, const std::string& where, Problems& problems, Plan& plan,
                Existing existing) {
  check_stages(looking.experiment().targets(), problems, where, looking.workspace(), existing);
  Planner planner(plan, existing, looking.workspace());
  for (const auto& stage : looking.graph().stages()) planner.add(*stage);
  planner.sort_work();
}

Plan make_plan(const Experiment& asked, const PlanTarget& target, const Workspace& workspace,
               const Selection& selection, ExperimentPart part, Existing existing) {
  Plan plan = begin_plan(target, workspace);
  Problems problems;
  Looking looking(asked, selection, part, plan.limits.outputs, workspace, problems);
  add_stages(looking, asked.file.string(), problems, plan, existing);
  return plan;
}

}  // namespace kdbench
