// SPDX-License-Identifier: MIT
#include <fmt/format.h>

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

void answer_teachers(const ExperimentRuns& made, Answer& answer) {
  std::vector<nlohmann::json> runs;
  for (const auto& record : made.runs) runs.push_back(read_runs({record}).front());
  std::string text = write_summary(runs) + "\n";
  for (size_t i = 0; i < runs.size(); ++i) {
    text += fmt::format("{} seed {}: {}\n", runs[i].value("task", ""), runs[i].value("seed", 0),
                        model_text(runs[i], made.runs[i]));
  }
  answer.text(text);
  answer.data.update(runs_json(made, runs));
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
                      existing(options), session.workspace(), context.answer);
  }
  const ExperimentRuns made = make_experiment(experiment, session.workspace(), options.selection,
                                              ExperimentPart::kTeachers, existing(options));
  context.control.on_root([&] { answer_teachers(made, context.answer); });
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
            add_force_option(app, *options);
            add_trace_option(app, options->session);
            add_plan_options(app, options->plan);
            app.footer(
                "The experiment needs [data], [teacher] and [teacher.train]; [student] and "
                "[[method]] may be missing. Ends with the scores and the folders of the models.");
            return [options](const VerbContext& context) { return finetune(*options, context); };
          }};
}

}  // namespace kdbench
