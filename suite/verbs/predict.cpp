// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "io/base/look.h"
#include "io/tasks/glue.h"
#include "reports/comparison.h"
#include "reports/run_fields.h"
#include "suite/stages/runs/prediction_stage.h"
#include "suite/verbs/model_options.h"
#include "suite/verbs/registry.h"
#include "suite/walks/make.h"

namespace kdbench {
namespace {

struct PredictOptions : ModelOptions {
  std::vector<std::string> tasks;
};

// Everything that can be known before the model runs.
void check(const PredictOptions& options, Problems& problems) {
  check_model_options(options, problems);
  if (options.tasks.empty())
    problems.add("--tasks", "which tasks?", "only the folder of a run says it itself");
  for (const auto& name : options.tasks) {
    problems.collect([&] {
      const Task& task = find_task(name, options.own.tasks);
      const bool any =
          std::any_of(task.splits.begin(), task.splits.end(), [&](const SplitSpec& split) {
            return split.name != kTrainSplit && is_there(glue_path(options.data, task, split.name));
          });
      if (!any) throw_user_error("--tasks " + name, "no rows to predict in " + options.data);
    });
  }
  check_trained_model(options, options.tasks, problems);
  problems.throw_if_any("predict");
}

std::string scores_text(const nlohmann::json& run) {
  std::string lines;
  const std::string task = run.at("task");
  const auto& metrics = run.at("metrics").at("last");
  for (const auto& [split, values] : metrics.items()) {
    std::string text;
    for (const auto& [name, value] : values.items()) {
      text += value.is_number() ? fmt::format("  {} {:.4f}", name, value.get<double>())
                                : fmt::format("  {} -", name);
    }
    lines += fmt::format("{} {}:{}\n", task, split, text);
  }
  if (metrics.empty()) lines += fmt::format("{}: no labels, no scores\n", task);
  for (const auto& remark : run.value("remarks", nlohmann::json::array()))
    lines += fmt::format("{}: {}\n", task, remark.get<std::string>());
  const std::filesystem::path folder = run.at("folder").get<std::string>();
  return lines +
         fmt::format("{}: predictions and logits in {}\n", task, (folder / "predictions").string());
}

void answer_prediction(const std::filesystem::path& folder, Answer& answer) {
  const auto run = read_runs({folder}).front();
  if (is_done(run)) answer.text(scores_text(run));
  nlohmann::json prediction{{"metrics", nlohmann::json::object()}};
  for (const char* key : {"task", "run_id", "folder", "status", "reason", "remarks"}) {
    prediction[key] = run.value(key, nlohmann::json());
  }
  if (run.contains("metrics")) prediction["metrics"] = run.at("metrics").at("last");
  answer.data["predictions"].push_back(std::move(prediction));
}

ExitCode predict_tasks(PredictOptions options, const VerbContext& context) {
  Problems problems;
  context.control.agree([&] {
    take_run(options, problems);
    if (options.tasks.empty() && !options.trained_on.empty())
      options.tasks.push_back(options.trained_on);
  });
  context.control.on_root([&] { check(options, problems); });
  const Session session(options.session, context);
  context.answer.data["predictions"] = nlohmann::json::array();
  Graph graph;
  Maker maker(session.workspace());
  ExitCode code = ExitCode::kDone;
  for (const auto& name : options.tasks) {
    const Task& task = find_task(name, options.own.tasks);
    FeaturesStage& rows =
        features_stage(graph, feature_request(options, task), session.workspace());
    const Outcome& made = maker.make(prediction_stage(graph, options.model, options.trained_on,
                                                      task, rows, session.workspace()));
    if (made.kind == Outcome::Kind::kFailed) code = ExitCode::kRunFailed;  // it has said why
    context.control.on_root([&] {
      if (!made.record.empty()) answer_prediction(made.record, context.answer);
    });
    rows.release();
  }
  return code;
}

}  // namespace

Verb predict_verb() {
  return {
      "predict",
      "A saved model's predictions and logits on every split but the training rows, with scores",
      [](CLI::App& app) -> VerbAction {
        auto options = std::make_shared<PredictOptions>();
        app.add_option(
               "--tasks", options->tasks,
               "tasks with the model's labels, e.g. MRPC, or MNLI,AX; default: the run's own")
            ->delimiter(',');
        add_model_options(app, *options);
        app.footer(
            "Leaves <out>/predict/<run-id>/ with run.json and "
            "predictions/<TASK>-<split>.tsv and <TASK>-<split>-logits.tsv.");
        return [options](const VerbContext& context) { return predict_tasks(*options, context); };
      }};
}

}  // namespace kdbench
