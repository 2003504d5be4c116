// SPDX-License-Identifier: MIT
#include "suite/verbs/export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <set>

#include "io/glue.h"
#include "suite/stages/teacher_outputs.h"
#include "suite/verbs/model_options.h"

namespace kdbench {
namespace {

struct ExportOptions : ModelOptions {
  std::string task, file;
  OutputRequest request;
  int64_t train_limit = 0;
  bool memory = false;
};

void check_layers(const std::vector<int64_t>& layers, int64_t depth, Problems& problems) {
  for (const int64_t layer : layers) {
    if (layer >= 1 && layer <= depth) continue;
    problems.add("--cls-layers", fmt::format("the model has no layer {}", layer),
                 fmt::format("1 to {}", depth));
  }
  if (std::adjacent_find(layers.begin(), layers.end(), std::greater_equal<>()) != layers.end()) {
    problems.add("--cls-layers", "expected ascending layers, each once");
  }
}

void check_splits(const ExportOptions& options, const Task& task, Problems& problems) {
  std::set<std::string> seen;
  for (const auto& name : options.request.splits) {
    if (!seen.insert(name).second) problems.add("--splits", name + " is listed twice");
    problems.collect([&] {
      task.split(name);
      const auto file = glue_path(options.data, task, name);
      if (!std::filesystem::exists(file)) throw_user_error("--splits", "no file " + file.string());
    });
  }
}

// Everything that can be known before the model runs.
void check(const ExportOptions& options) {
  Problems problems;
  if (options.memory) problems.add("--memory", "not available yet");
  const auto config = check_model_options(options, problems);
  if (config) check_layers(options.request.cls_layers, config->layers, problems);
  problems.collect([&] { check_splits(options, find_task(options.task), problems); });
  check_trained_model(options, {options.task}, problems);
  const std::filesystem::path file = options.file;
  if (file.extension() != ".h5") {
    problems.add("--teacher-outputs", "expected a name that ends with .h5");
  } else if (std::filesystem::exists(file)) {
    problems.add("--teacher-outputs", file.string() + " is already there",
                 "results are never overwritten");
  }
  problems.throw_if_any("export");
}

ExitCode export_outputs(const ExportOptions& options, const VerbContext& context) {
  context.control.on_root([&] { check(options); });
  const Session session(options.session, context);
  const Workspace& workspace = session.workspace();
  const TrainedModel model = load_trained_model(options.model, find_task(options.task), workspace);
  FeatureRequest rows = feature_request(options, *model.task);
  rows.training = true;  // the store of a run's own stage
  rows.train_limit = options.train_limit;
  const Features features = ensure_features(rows, workspace);
  write_teacher_outputs(model, features, options.request, options.file, workspace);
  context.control.on_root([&] {
    fmt::print("{}: outputs of {} on {} ({})\n", options.file, options.model, model.task->name,
               fmt::join(options.request.splits, ", "));
  });
  return ExitCode::kDone;
}

}  // namespace

Verb export_verb() {
  return {
      "export", "A saved model's outputs as a teacher store, for a method's teacher_outputs = FILE",
      [](CLI::App& app) -> VerbAction {
        auto options = std::make_shared<ExportOptions>();
        app.add_option("--task", options->task, "the task that the model was trained on")
            ->required();
        app.add_option("--teacher-outputs", options->file, "the store to write (.h5)")->required();
        app.add_option("--splits", options->request.splits, "whose rows, e.g. train,dev")
            ->delimiter(',')
            ->capture_default_str();
        app.add_option("--cls-layers", options->request.cls_layers,
                       "store the [CLS] states after these layers too, e.g. 2,4 (from 1)")
            ->delimiter(',');
        app.add_flag("--pooled", options->request.pooled, "store the pooled [CLS] states too");
        app.add_option("--store-dtype", options->request.store_dtype,
                       "of [CLS] and pooled states; logits are float32")
            ->check(CLI::IsMember({"float32", "float16", "bfloat16"}))
            ->capture_default_str();
        app.add_flag("--memory", options->memory, "FSD's centroids (not available yet)");
        app.add_option("--train-limit", options->train_limit, "first N training rows; 0: all")
            ->check(CLI::NonNegativeNumber)
            ->capture_default_str();
        add_model_options(app, *options);
        return [options](const VerbContext& context) { return export_outputs(*options, context); };
      }};
}

}  // namespace kdbench
