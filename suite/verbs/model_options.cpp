// SPDX-License-Identifier: MIT
#include "suite/verbs/model_options.h"

#include <fmt/format.h>

#include "io/base/json_file.h"
#include "io/base/look.h"
#include "io/base/text.h"
#include "io/tasks/own_task.h"
#include "reports/run_fields.h"
#include "suite/models/initial_model.h"
#include "suite/models/model_checks.h"

namespace kdbench {

void add_model_options(CLI::App& app, ModelOptions& options) {
  app.add_option("--model", options.model,
                 "fine-tuned model: a Hugging Face folder, or a run's folder")
      ->required();
  app.add_option("--data", options.data, "GLUE folder: <TASK>/{train,dev,test}.tsv")->required();
  app.add_option("--max-seq-length", options.max_seq_length,
                 "ids per row, special tokens included; default: as in the run, else 128")
      ->check(CLI::Range(5, 1 << 20));
  app.add_flag("--any-labels", options.any_labels,
               "also a model of another task, or with other labels: its outputs are taken for the "
               "task's labels, in their order");
  add_own_task_options(app, options.own);
  add_session_options(app, options.session);
}

namespace {

namespace fs = std::filesystem;

constexpr int64_t kUsualLength = 128;
constexpr const char* kRecord = "run.json";

// Where the run in `folder` has its model. A teacher's lies in its stage.
fs::path model_of_run(const fs::path& folder, const nlohmann::json& run) {
  const std::string where = (folder / kRecord).string();
  if (run.value("status", "") != "done") {
    throw_user_error(where,
                     "the run is " + printable(run.value("status", "")) + ": " +
                         printable(run.value("reason", "")),
                     "a model of a finished run is needed");
  }
  const fs::path model = (folder / run.value("model", "model")).lexically_normal();
  if (is_folder(model)) return model;
  throw_user_error(where, "the run has left no model: no folder " + model.string(),
                   "a run of kdbench predict only reads one");
}

// The folder of the run that `model` is the model of, if there is its record.
std::optional<fs::path> run_of_model(const fs::path& model) {
  fs::path folder = fs::absolute(model).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // "model/"
  if (folder.filename() != "model" || !is_file(folder.parent_path() / kRecord)) return std::nullopt;
  return folder.parent_path();
}

}  // namespace

void take_run(ModelOptions& options, Problems& problems) {
  nlohmann::json run = nlohmann::json::object();
  problems.collect([&] {
    if (is_file(fs::path(options.model) / kRecord)) {
      run = read_json_object(fs::path(options.model) / kRecord);
      options.model = model_of_run(options.model, run).string();
    } else if (const auto folder = run_of_model(options.model)) {
      run = read_json_object(*folder / kRecord);
    }
  });
  options.trained_on = text_of(run, "task");
  const nlohmann::json::json_pointer declared("/data/declaration");
  if (run.contains(declared)) {
    problems.collect(
        [&] { options.own.tasks.push_back(declared_task(run.at(declared), options.model)); });
  }
  read_own_tasks(options.own, problems);
  const auto length = number_at(run, "data/max_seq_length");
  if (options.max_seq_length == 0)
    options.max_seq_length = length ? static_cast<int64_t>(*length) : kUsualLength;
}

FeatureRequest feature_request(const ModelOptions& options, const Task& task) {
  FeatureRequest request{options.data, &task, options.model, options.max_seq_length};
  request.files = TaskFiles::kUntrained;
  ModelSettings model;
  model.weights = options.model;
  request.layout = layout_of(model, task);
  return request;
}

std::optional<ModelConfig> check_model_options(const ModelOptions& options, Problems& problems) {
  const bool look = problems.empty();
  problems.collect([&] {
    if (!is_folder(options.data))
      problems.add("--data", "no folder " + options.data, "a GLUE folder");
  });
  bool there = false;
  if (!look) return std::nullopt;
  problems.collect([&] {
    there = is_folder(options.model);
    if (!there)
      problems.add("--model", "no folder " + options.model, "a Hugging Face model folder");
  });
  if (!there) return std::nullopt;
  problems.collect([&] { load_tokenizer(options.model); });
  std::optional<ModelConfig> config;
  problems.collect([&] { config = read_model_config(options.model); });
  if (config && options.max_seq_length > config->longest_row()) {
    problems.add("--max-seq-length", fmt::format("{} is more than the model's {} positions",
                                                 options.max_seq_length, config->longest_row()));
  }
  return config;
}

void check_trained_model(const ModelOptions& options, const std::vector<std::string>& tasks,
                         Problems& problems) {
  if (!problems.lines().empty()) return;
  for (const auto& name : tasks) {
    if (options.any_labels || options.trained_on.empty() ||
        find_task(name, options.own.tasks).is_called(options.trained_on))
      continue;
    problems.add(options.model,
                 "was trained on " + printable(options.trained_on) + ", not on " + name,
                 "--any-labels takes its outputs for the task's labels, in their order");
  }
  if (!problems.lines().empty()) return;
  problems.collect([&] {
    ModelSettings model;
    model.weights = options.model;
    std::vector<const Task*> wanted;
    for (const auto& name : tasks) wanted.push_back(&find_task(name, options.own.tasks));
    check_model(model, nullptr, /*frozen=*/true, wanted, options.any_labels);
  });
}

}  // namespace kdbench
