// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <set>

#include "io/base/look.h"
#include "io/base/partial_file.h"
#include "io/tasks/glue.h"
#include "suite/stages/rows/features_stage.h"
#include "suite/stages/sources/feature_memory.h"
#include "suite/stages/sources/teacher_outputs.h"
#include "suite/training/finite.h"
#include "suite/verbs/model_options.h"
#include "suite/verbs/registry.h"
#include "suite/walks/make.h"

namespace kdbench {
namespace {

struct ExportOptions : ModelOptions {
  std::string task, file;
  OutputRequest request;
  int64_t train_limit = 0;
  std::string memory_file;
  FeatureMemoryNeeds memory;
};

void check_layers(const std::string& flag, const std::vector<int64_t>& layers, int64_t depth,
                  Problems& problems) {
  for (const int64_t layer : layers) {
    if (layer >= 1 && layer <= depth) continue;
    problems.add(flag, fmt::format("the model has no layer {}", layer),
                 fmt::format("1 to {}", depth));
  }
  if (std::adjacent_find(layers.begin(), layers.end(), std::greater_equal<>()) != layers.end()) {
    problems.add(flag, "expected ascending layers, each once");
  }
}

// A file to be written.
void check_new_file(const std::string& flag, const std::filesystem::path& file,
                    const std::string& extension, Problems& problems) {
  if (file.empty()) return;
  problems.collect([&] {
    if (file.extension() != extension) {
      problems.add(flag, "expected a name that ends with " + extension);
    } else if (is_there(file)) {
      problems.add(flag, file.string() + " is already there", "results are never overwritten");
    }
  });
}

void check_data_file(const ExportOptions& options, const Task& task, const std::string& split,
                     const std::string& flag) {
  task.split(split);
  const auto file = glue_path(options.data, task, split);
  if (!is_there(file)) throw_user_error(flag, "no file " + file.string());
}

void check_memory_options(const ExportOptions& options, int64_t depth, Problems& problems) {
  if (options.memory_file.empty()) return;
  check_new_file("--memory", options.memory_file, ".safetensors", problems);
  if (options.memory.centroids == 0) problems.add("--memory", "how many --centroids?");
  if (options.memory.layer == 0) {
    problems.add("--memory", "of which --memory-layer?");
  } else {
    check_layers("--memory-layer", {options.memory.layer}, depth, problems);
  }
}

void check_splits(const ExportOptions& options, const Task& task, Problems& problems) {
  std::set<std::string> seen;
  for (const auto& name : options.request.splits) {
    if (!seen.insert(name).second) problems.add("--splits", name + " is listed twice");
    problems.collect([&] { check_data_file(options, task, name, "--splits"); });
  }
  if (options.memory_file.empty()) return;
  problems.collect([&] { check_data_file(options, task, kTrainSplit, "--memory"); });
}

// Everything that can be known before the model runs.
void check(const ExportOptions& options, Problems& problems) {
  if (options.file.empty() && options.memory_file.empty()) {
    problems.add("export", "what shall be written?", "--teacher-outputs, --memory or both");
  }
  const auto config = check_model_options(options, problems);
  if (config) {
    check_layers("--cls-layers", options.request.cls_layers, config->layers, problems);
    check_layers("--hidden-layers", options.request.hidden_layers, config->layers, problems);
  }
  check_memory_options(options, config ? config->layers : options.memory.layer, problems);
  if (options.task.empty())
    problems.add("--task", "which task?", "only the folder of a run says it itself");
  problems.collect(
      [&] { check_splits(options, find_task(options.task, options.own.tasks), problems); });
  check_trained_model(options, {options.task}, problems);
  check_new_file("--teacher-outputs", options.file, ".h5", problems);
  problems.throw_if_any("export");
}

void export_memory(const ExportOptions& options, const TrainedModel& model,
                   const Features& features, const Workspace& workspace, Answer& answer) {
  const auto pass = computed_states(model, options.memory.layer, features.store.split(kTrainSplit),
                                    workspace.control);
  const at::Tensor centroids = train_feature_memory(options.memory, options.max_seq_length,
                                                    model.model->config().hidden, pass, workspace);
  workspace.control.on_root([&] {
    if (!at::isfinite(centroids).all().item<bool>())
      throw not_finite(options.model, "the centroids of its states are");
    write_feature_memory(centroids, {model.task->name, options.memory.layer, model.sha256},
                         options.memory_file);
    answer.text(fmt::format("{}: {} centroids of layer {} of {} on {}\n", options.memory_file,
                            options.memory.centroids, options.memory.layer, options.model,
                            model.task->name));
    answer.data["memory"] = {{"file", options.memory_file},
                             {"model", options.model},
                             {"task", model.task->name},
                             {"layer", options.memory.layer},
                             {"centroids", options.memory.centroids}};
  });
}

ExitCode export_outputs(ExportOptions options, const VerbContext& context) {
  Problems problems;
  context.control.agree([&] {
    take_run(options, problems);
    if (options.task.empty()) options.task = options.trained_on;
  });
  context.control.on_root([&] {
    check(options, problems);
    for (const auto& file : {options.file, options.memory_file}) {
      if (!file.empty()) make_folder_of(file);
    }
  });
  const Session session(options.session, context);
  const Workspace& workspace = session.workspace();
  const TrainedModel model =
      load_trained_model(options.model, find_task(options.task, options.own.tasks), workspace);
  FeatureRequest wanted = feature_request(options, *model.task);
  wanted.files = TaskFiles::kAll;  // the store of a run's own stage
  wanted.train_limit = options.train_limit;
  Graph graph;
  FeaturesStage& rows = features_stage(graph, wanted, workspace);
  Maker(workspace).make(rows);
  const Features& features = rows.rows(workspace);
  // What the rows decide, before the model runs.
  context.control.agree([&] {
    if (options.memory_file.empty()) return;
    check_feature_memory(options.memory, {}, options.task,
                         features.store.split(kTrainSplit)->rows(), "--centroids");
  });
  if (!options.file.empty()) {
    write_teacher_outputs(model, features, options.request, options.file, workspace);
    context.control.on_root([&] {
      context.answer.text(fmt::format("{}: outputs of {} on {} ({})\n", options.file, options.model,
                                      model.task->name, fmt::join(options.request.splits, ", ")));
      context.answer.data["teacher_outputs"] = {{"file", options.file},
                                                {"model", options.model},
                                                {"task", model.task->name},
                                                {"splits", options.request.splits}};
    });
  }
  if (!options.memory_file.empty())
    export_memory(options, model, features, workspace, context.answer);
  return ExitCode::kDone;
}

}  // namespace

Verb export_verb() {
  return {
      "export",
      "A saved model's outputs as a teacher store, for a method's teacher_outputs = FILE, or the "
      "memory of FSD",
      [](CLI::App& app) -> VerbAction {
        auto options = std::make_shared<ExportOptions>();
        app.add_option("--task", options->task,
                       "the task that the model was trained on; default: the run's own");
        app.add_option("--teacher-outputs", options->file, "the store to write (.h5)");
        app.add_option("--splits", options->request.splits, "whose rows, e.g. train,dev")
            ->delimiter(',')
            ->capture_default_str();
        app.add_option("--cls-layers", options->request.cls_layers,
                       "store the [CLS] states after these layers too, e.g. 2,4 (from 1)")
            ->delimiter(',');
        app.add_option("--hidden-layers", options->request.hidden_layers,
                       "store the states of every token after these layers too (FSD)")
            ->delimiter(',');
        app.add_flag("--pooled", options->request.pooled, "store the pooled [CLS] states too");
        app.add_option("--store-dtype", options->request.store_dtype,
                       "of all states; logits are float32")
            ->check(CLI::IsMember({"float32", "float16", "bfloat16"}))
            ->capture_default_str();
        app.add_option("--train-limit", options->train_limit, "first N training rows; 0: all")
            ->check(CLI::NonNegativeNumber)
            ->capture_default_str();
        app.add_option("--memory", options->memory_file,
                       "centroids of the features of FSD to write (.safetensors), over the "
                       "training rows");
        app.add_option("--centroids", options->memory.centroids, "of --memory: how many")
            ->check(CLI::Range(1, 1 << 20));
        app.add_option("--memory-layer", options->memory.layer, "of --memory: whose states")
            ->check(CLI::PositiveNumber);
        app.add_option("--memory-epochs", options->memory.epochs,
                       "of --memory: passes over the rows; the first draws, the others move")
            ->check(CLI::PositiveNumber)
            ->capture_default_str();
        add_model_options(app, *options);
        return [options](const VerbContext& context) { return export_outputs(*options, context); };
      }};
}

}  // namespace kdbench
