// SPDX-License-Identifier: MIT
#include "suite/verbs/model_options.h"

#include <fmt/format.h>

#include "suite/models/model_checks.h"

namespace kdbench {

void add_model_options(CLI::App& app, ModelOptions& options) {
  app.add_option("--model", options.model,
                 "fine-tuned model: a Hugging Face folder, e.g. a run's model/")
      ->required();
  app.add_option("--data", options.data, "GLUE folder: <TASK>/{train,dev,test}.tsv")->required();
  app.add_option("--max-seq-length", options.max_seq_length,
                 "ids per row, special tokens included: as in the model's training")
      ->check(CLI::Range(5, 1 << 20))
      ->capture_default_str();
  add_session_options(app, options.session);
}

FeatureRequest feature_request(const ModelOptions& options, const Task& task) {
  FeatureRequest request{options.data, &task, options.model, options.max_seq_length};
  request.training = false;
  return request;
}

std::optional<ModelConfig> check_model_options(const ModelOptions& options, Problems& problems) {
  if (!std::filesystem::is_directory(options.data)) {
    problems.add("--data", "no folder " + options.data, "a GLUE folder");
  }
  if (!std::filesystem::is_directory(options.model)) {
    problems.add("--model", "no folder " + options.model, "a Hugging Face model folder");
    return std::nullopt;
  }
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
  problems.collect([&] {
    ModelSettings model;
    model.weights = options.model;
    std::vector<const Task*> wanted;
    for (const auto& name : tasks) wanted.push_back(&find_task(name));
    check_model(model, nullptr, /*frozen=*/true, wanted);
  });
}

}  // namespace kdbench
