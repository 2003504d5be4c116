// SPDX-License-Identifier: MIT
#include "suite/verbs/plan_options.h"

#include <fmt/format.h>

#include "io/base/text.h"
#include "suite/config/experiment_text.h"
#include "suite/walks/plan_json.h"
#include "suite/walks/plan_text.h"

namespace kdbench {
namespace {

constexpr double kGiga = 1e9;

PlanTarget target_of(const PlanOptions& options, const Control& control) {
  return {.ranks = options.ranks > 0 ? options.ranks : control.size(),
          .ranks_per_host = options.ranks_per_node,
          .memory_bytes = static_cast<int64_t>(options.node_memory * kGiga),
          .disk_bytes = static_cast<int64_t>(options.disk * kGiga),
          .flops_per_s = options.gflops * kGiga};
}

// Those of --stages.
std::set<StageGroup> chosen_groups(const RunOptions& options) {
  Problems problems;
  std::set<StageGroup> groups;
  for (const auto& name : options.stages) {
    problems.collect([&] { groups.insert(find_group(name)); });
  }
  if (!groups.empty() && options.plan.dry_run)
    problems.add("--stages", "the plan is of all stages", "leave out --stages or --dry-run");
  problems.throw_if_any("options");
  return groups;
}

}  // namespace

void add_plan_options(CLI::App& app, PlanOptions& options) {
  app.add_flag("--dry-run", options.dry_run,
               "check everything and print the plan: stages, steps, memory, disk, time");
  const auto number = [&](const char* flag, auto& value, const char* help) {
    app.add_option(flag, value, help)->check(CLI::PositiveNumber);
  };
  number("--ranks", options.ranks, "plan for N ranks (default: these)");
  number("--ranks-per-node", options.ranks_per_node, "plan for nodes with N of them");
  number("--node-memory", options.node_memory, "plan for nodes with so many GB of memory");
  number("--disk", options.disk, "plan for so many GB of disk");
  number("--gflops", options.gflops,
         "plan for ranks of so many GFLOP/s in matrix products (default: measured here)");
}

void check_plan_options(const PlanOptions& options) {
  if (options.dry_run) return;
  const std::pair<const char*, bool> given[] = {{"--ranks", options.ranks > 0},
                                                {"--ranks-per-node", options.ranks_per_node > 0},
                                                {"--node-memory", options.node_memory > 0},
                                                {"--disk", options.disk > 0},
                                                {"--gflops", options.gflops > 0}};
  Problems problems;
  for (const auto& [flag, is_given] : given) {
    if (is_given) {
      problems.add(flag, "belongs to --dry-run",
                   "mpirun -n or srun -n says how many ranks a run has");
    }
  }
  problems.throw_if_any("options");
}

ExitCode print_plan(const Experiment& experiment, const PlanOptions& options,
                    const Selection& selection, ExperimentPart part, Existing existing,
                    const Workspace& workspace, Answer& answer) {
  workspace.control.on_root([&] {
    const Plan plan = make_plan(experiment, target_of(options, workspace.control), workspace,
                                selection, part, existing);
    answer.text(fmt::format("Resolved experiment ({})\n\n{}\n{}", experiment.file.string(),
                            experiment_text(experiment), plan_text(plan)));
    answer.data.update({{"experiment", experiment.name},
                        {"config", experiment.to_json()},
                        {"plan", plan_json(plan)}});
  });
  return ExitCode::kDone;
}

void add_run_options(CLI::App& app, RunOptions& options) {
  add_experiment_options(app, options);
  add_selection_options(app, options);
  add_method_option(app, options);
  app.add_option("--stages", options.stages,
                 "of what the selected runs need, make only " + joined(group_names(), ", ") +
                     " (one or several), and what these need")
      ->delimiter(',')
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_force_option(app, options);
  add_trace_option(app, options.session);
  add_plan_options(app, options.plan);
}

ExitCode make_or_plan(const RunOptions& options, const VerbContext& context) {
  std::set<StageGroup> groups;
  context.control.agree([&] {
    check_plan_options(options.plan);
    groups = chosen_groups(options);
  });
  const Experiment experiment = load_selected(options, context);
  const Session session(options.session, context);
  if (options.plan.dry_run) {
    return print_plan(experiment, options.plan, options.selection, ExperimentPart::kAll,
                      existing(options), session.workspace(), context.answer);
  }
  return finish_experiment(make_experiment(experiment, session.workspace(), options.selection,
                                           ExperimentPart::kAll, existing(options), groups),
                           context, groups.empty() ? "runs" : "stages");
}

}  // namespace kdbench
