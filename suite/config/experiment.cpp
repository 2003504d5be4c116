// SPDX-License-Identifier: MIT
#include "suite/config/experiment.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "io/base/error.h"
#include "io/base/look.h"
#include "io/base/text.h"
#include "io/tokenizers/tokenizer.h"
#include "methods/models/registry.h"
#include "suite/config/experiment_keys.h"
#include "suite/config/experiment_overrides.h"
#include "suite/config/experiment_reader.h"
#include "suite/config/method_models.h"
#include "suite/config/option_reader.h"
#include "suite/models/initial_model.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLongestName = 80;  // several names make a folder's name, of at most 255 bytes

toml::table parse_file(const fs::path& file) {
  if (is_folder(file))
    throw_user_error(file.string(), "is a folder", "expected an experiment file (TOML)");
  if (!is_file(file)) throw_user_error(file.string(), "there is no such file");
  const std::string content = read_text_file(file);
  try {
    return toml::parse(content, file.string());
  } catch (const toml::parse_error& error) {
    throw_user_error(file.string() + ":" + std::to_string(error.source().begin.line),
                     std::string(error.description()), "not valid TOML");
  }
}

// A [[method]] with its place in the file; `student_read`: its own student has no problem.
struct PlacedMethod {
  std::string place;
  MethodSettings settings;
  bool student_read = true;
};

std::vector<PlacedMethod> read_methods(TableReader& root, const Experiment& experiment,
                                       BaseModel& base, ExperimentPart part) {
  std::vector<PlacedMethod> methods;
  std::map<std::string, std::string> labels;  // label -> place
  for (const auto& table : root.tables("method")) {
    const size_t before = root.problems().lines().size();
    auto read = read_method(table, experiment, base);
    const bool clean = root.problems().lines().size() == before;
    for (auto& method : read) {
      const auto [first, inserted] = labels.emplace(method.label, table.place());
      if (!inserted) {
        root.problems().add(table.place(),
                            "the label '" + method.label + "' is taken (" + first->second + ")",
                            "give this method a label of its own: label = \"...\"");
      }
      const bool student_read = clean || !method.student;
      methods.push_back({table.place(), std::move(method), student_read});
    }
  }
  if (!root.has("method") && part == ExperimentPart::kAll)
    root.problem("method", "is missing", "add [[method]] with a name");
  return methods;
}

void check_text_length(const ModelConfig& config, const LanguageSettings& language, bool pair,
                       const std::string& place) {
  const int64_t longest = std::max(language.texts.text_length, language.sampling.sample_length);
  const int64_t shortest = std::min(language.texts.text_length, language.sampling.sample_length);
  // [CLS] and [SEP] around a text, another [SEP] behind a second one.
  if (const int64_t least = pair ? 5 : 3; language.fills_masks && shortest < least) {
    throw_user_error(place,
                     fmt::format("transfer: texts of {} ids leave no room for words", shortest),
                     fmt::format("text_length and sample_length of {} or more", least));
  }
  if (config.max_positions == 0 || longest <= config.max_positions) return;
  throw_user_error(place,
                   fmt::format("transfer: texts of {} ids, but the language model has {} positions",
                               longest, config.max_positions),
                   "a smaller text_length and sample_length, or max_positions in [transfer.model]");
}

// A teacher or an assistant, and how it is trained on a task.
void check_teacher(const Experiment& experiment, const std::optional<TeacherSettings>& teacher,
                   TrainSettings (Experiment::*train_of)(const std::string&) const,
                   const std::string& place, Problems& problems) {
  if (!teacher) return;
  for (const auto& name : experiment.data.tasks) {
    const Task& task = experiment.task(name);
    TrainSettings train;  // of a teacher that is used as it is, nothing is selected
    if (teacher->train) train = (experiment.*train_of)(name);
    problems.collect([&] {
      const ModelConfig config = resolve_config(teacher->model, task, std::nullopt);
      check_on_task(experiment, task, config, train, place, problems);
    });
  }
}

// That there is a mask to fill. The words of the embedded corpora, which are not in place yet, have
// one.
void check_masks(const ModelSettings& model, const Task& task, const ModelConfig& config) {
  if (!find_architecture(config.architecture).fills_masks || !(model.weights || model.tokenizer))
    return;
  load_tokenizer(tokenizer_folder(model, task))->mask_marks();
}

// The model of [transfer.model] on each task.
void check_language_model(const Experiment& experiment, const std::string& place,
                          Problems& problems) {
  if (!experiment.transfer || !experiment.transfer->model) return;
  const TextSettings& texts = experiment.transfer->language.texts;
  for (const auto& name : experiment.data.tasks) {
    const Task& task = experiment.task(name);
    problems.collect([&] {
      const ModelConfig config =
          resolve_config(experiment.transfer->model->model, task, std::nullopt);
      check_text_length(config, experiment.transfer->language, task.pair(), place);
      check_masks(experiment.transfer->model->model, task, config);
      if (!texts.only_label.empty() && !task.regression() && !task.label_of(texts.only_label)) {
        throw_user_error(
            place, "transfer.filter_label: " + name + " has no label \"" + texts.only_label + "\"");
      }
      if (texts.conditioned && !task.pair()) {
        throw_user_error(place, "transfer.conditioned_model: " + name + " has single texts",
                         "it is for pairs");
      }
    });
  }
}

// Grid points share their mistakes: each is listed once.
void check_methods(const Experiment& experiment, const std::vector<PlacedMethod>& methods,
                   Problems& problems) {
  std::set<std::string> listed;
  for (const auto& method : methods) {
    if (!method.student_read || !has_student(experiment, method.settings)) continue;
    Problems found;
    check_method(experiment, method.settings, method.place, found);
    for (const auto& line : found.lines()) {
      if (listed.insert(line).second) problems.add("", line);
    }
  }
}

// Data and models; true when there was no problem with them.
bool read_data_and_models(TableReader& root, Experiment& experiment, BaseModel& base,
                          ExperimentPart part, const std::vector<std::string>& wanted) {
  const size_t before = root.problems().lines().size();
  if (auto tasks = root.table("task")) read_tasks(*tasks, experiment);
  if (auto data = root.table("data")) read_data(*data, experiment.data, wanted);
  if (!root.has("data")) root.problem("data", "is missing", "add [data] with root and tasks");
  if (auto model = root.table("model")) base = read_base_model(*model);
  if (auto teacher = root.table("teacher"))
    experiment.teacher = read_teacher(*teacher, experiment.data, base);
  if (auto assistant = root.table("assistant")) {
    experiment.assistant = read_teacher(*assistant, experiment.data, base);
    if (experiment.assistant->train_limit)
      assistant->problem("train_limit",
                         "is of [teacher]: an assistant learns from the same rows as the student");
  }
  if (auto student = root.table("student")) {
    experiment.student = read_student(*student, experiment.data,
                                      experiment.teacher ? &*experiment.teacher : nullptr, base);
  }
  if (auto transfer = root.table("transfer"))
    experiment.transfer = read_transfer(*transfer, experiment, base);
  if (!root.has("student") && part == ExperimentPart::kAll)
    root.problem("student", "is missing", "add [student] with weights");
  if (!root.has("teacher") && part == ExperimentPart::kTeachers)
    root.problem("teacher", "is missing", "add [teacher] with weights, and [teacher.train]");
  return root.problems().lines().size() == before;
}

// A key without an effect would look as if it had one.
void check_taken(TableReader& root, const BaseModel& base) {
  if (!base.weights || base.taken || (base.replaced && !base.set)) return;
  auto model = root.table("model");
  model->problem("weights", "no model takes it: each table of a model has its own",
                 "leave weights out of [teacher] and [student], or set those: teacher.weights");
}

// Nor does [transfer] where nobody learns from it.
void check_transfer_taken(TableReader& root, const Experiment& experiment, ExperimentPart part) {
  const auto& methods = experiment.methods;
  if (!experiment.transfer || methods.empty() || part == ExperimentPart::kTeachers) return;
  for (const auto& kind : experiment.transfer->kinds()) {
    if (std::any_of(methods.begin(), methods.end(),
                    [&](const auto& method) { return method.transfer == kind; }))
      continue;
    root.problem("transfer", "no method learns from its rows of kind \"" + kind + "\"",
                 "transfer = \"" + kind + "\" in a [[method]], or leave them out");
  }
}

void read_document(TableReader& root, Experiment& experiment, ExperimentPart part,
                   const std::vector<std::string>& wanted) {
  const OptionValues values = read_options(experiment_keys(), root);
  take(values, "name", experiment.name);
  if (values.contains("name")) {
    check_name(root, "name", experiment.name);
  } else if (!root.has("name")) {
    root.problem("name", "is missing", "results go to a folder of that name");
  }
  BaseModel base;
  const bool models_read = read_data_and_models(root, experiment, base, part, wanted);
  if (auto train = root.table("train")) experiment.train = read_train(*train);
  const auto methods = read_methods(root, experiment, base, part);
  check_taken(root, base);
  root.finish();
  for (const auto& method : methods) experiment.methods.push_back(method.settings);
  check_transfer_taken(root, experiment, part);
  if (!models_read) return;
  check_teacher(experiment, experiment.teacher, &Experiment::teacher_train_of,
                root.place("teacher"), root.problems());
  check_teacher(experiment, experiment.assistant, &Experiment::assistant_train_of,
                root.place("assistant"), root.problems());
  check_language_model(experiment, root.place("transfer"), root.problems());
  check_methods(experiment, methods, root.problems());
}

void add_own(const std::map<std::string, TrainLayer>& own, const std::string& task,
             std::vector<const TrainLayer*>& layers) {
  if (const auto found = own.find(task); found != own.end()) layers.push_back(&found->second);
}

std::vector<const TrainLayer*> shared_layers(const Experiment& experiment,
                                             const std::string& task) {
  std::vector<const TrainLayer*> layers{&experiment.train};
  add_own(experiment.task_train, task, layers);
  return layers;
}

// With the layer of a teacher or an assistant last.
TrainSettings train_of_teacher(const Experiment& experiment, const std::string& task,
                               const std::optional<TeacherSettings>& teacher) {
  auto layers = shared_layers(experiment, task);
  if (teacher && teacher->train) layers.push_back(&*teacher->train);
  return settings_of(layers);
}

int64_t value_of(const std::map<std::string, int64_t>& own, const std::string& task,
                 int64_t shared) {
  const auto it = own.find(task);
  return it == own.end() ? shared : it->second;
}

}  // namespace

void check_name(TableReader& table, const std::string& key, const std::string& name) {
  const std::string letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+=";
  if (!name.empty() && name.size() <= kLongestName && name.front() != '.' &&
      !name.ends_with(".partial") && name.find_first_not_of(letters) == std::string::npos) {
    return;
  }
  table.problem(key,
                fmt::format("expected at most {} letters, digits and . _ - + =, found \"{}\"",
                            kLongestName, printable(name)),
                "it becomes part of a folder's name");
}

Options MethodSettings::options_of(const std::string& task) const {
  const auto own = task_options.find(task);
  if (own == task_options.end()) return options;
  auto values = options.values();
  for (const auto& [name, value] : own->second) values[name] = value;
  return Options(std::move(values));
}

TrainSettings Experiment::train_of(const std::string& task, const MethodSettings& method) const {
  auto layers = shared_layers(*this, task);
  layers.push_back(&method.train);
  add_own(method.task_train, task, layers);
  return settings_of(layers);
}

TrainSettings Experiment::teacher_train_of(const std::string& task) const {
  return train_of_teacher(*this, task, teacher);
}

TrainSettings Experiment::assistant_train_of(const std::string& task) const {
  return train_of_teacher(*this, task, assistant);
}

TrainSettings Experiment::language_train_of(const std::string& task) const {
  return train_of_teacher(*this, task, transfer ? transfer->model : std::nullopt);
}

std::vector<std::string> TransferSettings::kinds() const {
  std::vector<std::string> all{kind};
  if (model && kind != transfer_kind::kLanguageModel) all.push_back(transfer_kind::kLanguageModel);
  return all;
}

const Task& Experiment::task(const std::string& name) const {
  return find_task(name, data.own_tasks);
}

int64_t Experiment::max_seq_length_of(const std::string& task) const {
  return value_of(data.max_seq_length_of, task, data.max_seq_length);
}

int64_t Experiment::train_limit_of(const std::string& task) const {
  return value_of(data.train_limit_of, task, data.train_limit);
}

int64_t Experiment::train_limit_of(const std::string& task, const TeacherSettings& teacher) const {
  return teacher.train_limit.value_or(train_limit_of(task));
}

Experiment load_experiment(const fs::path& file, const std::vector<std::string>& overrides,
                           ExperimentPart part, const std::vector<std::string>& wanted) {
  toml::table document = parse_file(file);
  Problems problems;
  apply_overrides(document, overrides, problems);
  Experiment experiment;
  experiment.file = fs::absolute(file).lexically_normal();
  TableReader root(document, "", problems);
  read_document(root, experiment, part, wanted);
  problems.throw_if_any(file.string());
  return experiment;
}

OwnTasks declared_tasks(const fs::path& file) {
  const toml::table document = parse_file(file);
  Problems problems;
  Experiment experiment;
  TableReader root(document, "", problems);
  if (auto tasks = root.table("task")) read_tasks(*tasks, experiment);
  problems.throw_if_any(file.string());
  return experiment.data.own_tasks;
}

}  // namespace kdbench
