// SPDX-License-Identifier: MIT
#include <fmt/core.h>

#include <algorithm>

#include "reports/comparison.h"
#include "suite/verbs/plan_options.h"
#include "suite/verbs/registry.h"

namespace kdbench {
namespace {

// Where the model lies, or why there is none.
std::string model_text(const nlohmann::json& run, const std::filesystem::path& record) {
  if (!run.contains("model")) return "failed, see " + record.string();
  return "model in " + (record / run["model"].get<std::string>()).lexically_normal().string();
}

void print_teachers(const std::vector<std::filesystem::path>& records) {
  std::vector<nlohmann::json> runs;
  for (const auto& record : records) runs.push_back(read_runs({record}).front());
  fmt::print("{}\n", write_summary(runs));
  for (size_t i = 0; i < runs.size(); ++i) {
    fmt::print("{} seed {}: {}\n", runs[i].value("task", ""), runs[i].value("seed", 0),
               model_text(runs[i], records[i]));
  }
}

struct FinetuneOptions : ExperimentOptions {
  PlanOptions plan;
};

ExitCode finetune(const FinetuneOptions& options, const VerbContext& context) {
  context.control.agree([&] { check_plan_options(options.plan); });
  const Experiment experiment = load_selected(options, context, ExperimentPart::kTeachers);
  context.control.agree([&] {
    if (!experiment.teacher->train)
      throw_user_error(experiment.file.string(), "the teacher is used as it is: nothing to train",
                       "add [teacher.train], even empty");
  });
  const Session session(options.session, context);
  if (options.plan.dry_run) {
    return print_plan(experiment, options.plan, options.selection, ExperimentPart::kTeachers,
                      session.workspace());
  }
  const ExperimentRuns made = make_experiment(experiment, session.workspace(), options.selection,
                                              ExperimentPart::kTeachers);
  context.control.on_root([&] { print_teachers(made.runs); });
  return made.failed > 0 ? ExitCode::kRunFailed : ExitCode::kDone;
}

}  // namespace

Verb finetune_verb() {
  return {"finetune",
          "An experiment's teachers, trained on hard labels, the very ones that `run` makes and "
          "then reuses",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<FinetuneOptions>();
            add_experiment_options(app, *options);
            add_selection_options(app, *options);
            add_plan_options(app, options->plan);
            app.footer(
                "The experiment needs [data], [teacher] and [teacher.train]; [student] and "
                "[[method]] may be missing. Ends with the scores and the folders of the models.");
            return [options](const VerbContext& context) { return finetune(*options, context); };
          }};
}

}  // namespace kdbench
