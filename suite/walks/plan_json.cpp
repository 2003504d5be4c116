// SPDX-License-Identifier: MIT
#include "suite/walks/plan_json.h"

#include "suite/walks/plan_text.h"

namespace kdbench {
namespace {

using nlohmann::json;

json splits_json(const Plan& plan) {
  json list = json::array();
  for (const auto& split : plan.splits) {
    list.push_back({{"task", split.task},
                    {"split", split.split},
                    {"rows", split.rows},
                    {"tokens", split.tokens},
                    {"longest", split.longest}});
  }
  return list;
}

json phases_json(const TrainingCost& training) {
  json list = json::array();
  for (const auto& phase : training.phases) {
    list.push_back({{"name", phase.name},
                    {"epochs", phase.epochs},
                    {"steps", phase.steps},
                    {"updates", phase.updates}});
  }
  return list;
}

// Of one rank.
json rank_json(const WorkPlan& work) {
  const TrainingCost& training = work.training;
  const RamCost& ram = training.ram;
  return {{"fewest_rows", training.shares.fewest_rows},
          {"most_rows", training.shares.most_rows},
          {"largest_pass_tokens", training.shares.largest_pass},
          {"balance", training.shares.balance},
          {"allreduces", training.traffic.allreduces},
          {"gradient_bytes", training.traffic.gradient_bytes},
          {"values_bytes", ram.values},
          {"gradients_bytes", ram.gradients},
          {"moments_bytes", ram.moments},
          {"best_bytes", ram.best},
          {"activations_bytes", ram.activations},
          {"teacher_outputs_bytes", work.teacher_outputs}};
}

json work_json(const Plan& plan) {
  json list = json::array();
  for (const auto& work : plan.work) {
    const TrainingCost& training = work.training;
    list.push_back({{"task", work.task},
                    {"label", work.label},
                    {"seeds", work.seeds},
                    {"parameters", work.parameters},
                    {"rows", training.rows},
                    {"batch_size", training.batch_size},
                    {"steps_per_epoch", training.steps_per_epoch},
                    {"epochs", training.epochs},
                    {"steps", training.steps},
                    {"updates", training.updates},
                    {"phases", phases_json(training)},
                    {"flops", work.flops()},
                    {"teacher_flops", work.teacher_flops},
                    {"rank", rank_json(work)}});
  }
  return list;
}

json stages_json(const Plan& plan) {
  json list = json::array();
  for (const auto& stage : plan.stages) {
    list.push_back({{"kind", stage.kind},
                    {"what", stage.what},
                    {"name", stage.name},
                    {"reused", stage.reused},
                    {"disk_bytes", stage.bytes},
                    {"flops", stage.flops},
                    {"seconds", stage.seconds}});
  }
  return list;
}

json limits_json(const PlanLimits& limits) {
  return {{"ranks_per_host", limits.ranks_per_host},
          {"available_memory_bytes", limits.available_memory},
          {"free_disk_bytes", limits.free_disk},
          {"flops_per_s", limits.flops_per_s},
          {"copies", limits.copies},
          {"outputs_disk_bytes", limits.outputs.disk},
          {"outputs_memory_bytes", limits.outputs.memory}};
}

}  // namespace

json plan_json(const Plan& plan) {
  return {{"ranks", plan.ranks},
          {"splits", splits_json(plan)},
          {"trainings", work_json(plan)},
          {"stages", stages_json(plan)},
          {"limits", limits_json(plan.limits)},
          {"program_bytes", plan.program_bytes},
          {"training_bytes", plan.training_bytes},
          {"shared_bytes", plan.shared_bytes},
          {"host_bytes", plan.host_bytes()},
          {"new_disk_bytes", plan.new_disk_bytes()},
          {"seconds", plan.seconds()},
          {"warnings", plan_warnings(plan)}};
}

}  // namespace kdbench
