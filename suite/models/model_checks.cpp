// SPDX-License-Identifier: MIT
#include "suite/models/model_checks.h"

#include <algorithm>

#include "io/base/file_list.h"
#include "io/base/text.h"
#include "io/tokenizers/tokenizer.h"
#include "methods/models/checkpoint.h"
#include "methods/models/initialization.h"
#include "methods/models/registry.h"
#include "reports/run_files.h"
#include "suite/models/build_model.h"
#include "suite/models/first_words.h"

namespace kdbench {
namespace {

constexpr const char* kOtherTaskHint =
    "fine-tune it on the task first (in an experiment: [teacher.train]); if only the names are "
    "wrong, id2label in config.json has them; predict and export take it with --any-labels";

// A frozen model of another task would give numbers that mean nothing.
void check_same_task(const Task& task, const InitialModel& model) {
  const std::string folder = model.settings.weights->string();
  if (!model.other_task.empty()) {
    throw_user_error(folder,
                     "was fine-tuned on " + printable(model.other_task) + ", not on " + task.name +
                         " (finetuning_task in config.json)",
                     kOtherTaskHint);
  }
  if (model.other_labels.empty()) return;
  const auto& words = task.label_words.empty() ? task.labels : task.label_words;
  throw_user_error(folder,
                   "its labels (" + first_few(model.other_labels) + ") are not those of " +
                       task.name + " (" + first_few(words) + ")",
                   kOtherTaskHint);
}

// A model that a run has left must be what it left.
void check_model_of_run(const fs::path& folder) {
  const fs::path model = fs::absolute(folder).lexically_normal();
  const fs::path name = model.has_filename() ? model : model.parent_path();  // "model/"
  const nlohmann::json run = read_run_json(name.parent_path());
  if (run.contains("files"))
    check_files(name.parent_path(), run["files"], name.filename().string() + "/");
}

TensorMap outline_tensors(const Model& model) {
  TensorMap tensors;
  for (const auto& segment : model.parameters().layout().tensors())
    tensors[segment.name] = model.parameters()[segment.name].detach();
  return tensors;
}

// The vocabulary, and vectors of its words, against the model that reads them.
void check_tokens(const ModelSettings& settings, const Task& task, const ModelConfig& config) {
  const fs::path folder = tokenizer_folder(settings, task);
  const auto tokenizer = load_tokenizer(folder);
  check_vocabulary(folder, tokenizer->vocabulary_size(), config);
  const bool words = tokenizer->words() != nullptr;
  if (!find_architecture(config.architecture).word_tables.empty() && words != config.whole_words) {
    throw_user_error(folder.string(),
                     words ? "its vocabulary holds whole words, config.json says pieces"
                           : "its vocabulary holds pieces, config.json says whole words",
                     "the vocabulary is another model's");
  }
  if (!settings.vectors) return;
  if (!words) {
    throw_user_error(settings.vectors->string(),
                     "there are vectors of words, but " + folder.string() + " holds pieces of them",
                     "without tokenizer the words of the data are read");
  }
  check_vectors(*settings.vectors, config);
}

std::unique_ptr<Model> make_outline(const ModelSettings& settings, const Task& task) {
  return outline_model(initial_model(settings, task));
}

}  // namespace

void check_model(const ModelSettings& settings, const ModelSettings* teacher, bool frozen,
                 const std::vector<const Task*>& tasks, bool any_labels, bool language) {
  if (const Architecture& architecture = architecture_of(settings);
      architecture.language_model && !language) {
    throw_user_error(settings.weights ? settings.weights->string() : "architecture",
                     "a " + architecture.name + " model is a language model and has no classes",
                     "generate takes language models");
  }
  const bool from_teacher = settings.init != "random" && settings.init_from == "teacher";
  const bool from_file = settings.init != "random" && !from_teacher && settings.weights;
  ModelConfig own;  // of the file
  TensorMap weights;
  if (settings.weights) check_model_of_run(*settings.weights);
  if (from_file) {
    own = folder_config(settings);
    weights = read_checkpoint(*settings.weights, own.architecture);
  }
  std::map<int64_t, LoadReport> reports;  // tasks with as many classes take the same tensors
  for (const Task* task : tasks) {
    if (from_file && frozen && !any_labels) check_same_task(*task, initial_model(settings, *task));
    const auto [report, is_new] = reports.try_emplace(task->classes());
    if (is_new) {
      const auto model = make_outline(settings, *task);
      check_tokens(settings, *task, model->config());
      if (from_teacher && teacher) {
        const auto source = make_outline(*teacher, *task);
        initialize_student(*model, outline_tensors(*source), source->config().layers, settings.init,
                           "init_from = \"teacher\"");
      } else if (from_file) {
        report->second = initialize_student(*model, weights, own.layers, settings.init,
                                            settings.weights->string(), !frozen);
      }
    }
    if (from_file && frozen) check_whole(report->second, *settings.weights);
  }
}

void ModelChecks::add(const ModelSettings& model, const ModelSettings* teacher, bool frozen,
                      const Task& task, bool language) {
  nlohmann::json key{to_json(model), frozen, language};
  if (teacher && model.init_from == "teacher") key.push_back(to_json(*teacher));
  const auto [place, is_new] = places_.emplace(
      key.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), uses_.size());
  if (is_new) {
    uses_.push_back(
        {model, teacher ? std::optional(*teacher) : std::nullopt, frozen, language, {}});
  }
  auto& tasks = uses_[place->second].tasks;
  if (std::find(tasks.begin(), tasks.end(), &task) == tasks.end()) tasks.push_back(&task);
}

void ModelChecks::run(Problems& problems) const {
  for (const auto& use : uses_) {
    problems.collect([&] {
      check_model(use.model, use.teacher ? &*use.teacher : nullptr, use.frozen, use.tasks,
                  /*any_labels=*/false, use.language);
    });
  }
}

}  // namespace kdbench
