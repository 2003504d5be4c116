// SPDX-License-Identifier: MIT
// Resolved settings as JSON, for run.json, hashing and --dry-run. The file's own path is left out:
// the same experiment elsewhere is the same experiment.
#include "io/base/text.h"
#include "io/tasks/own_task.h"
#include "suite/config/experiment.h"
#include "suite/config/method_models.h"

namespace kdbench {
namespace {

// The vocabulary of embedded corpora is made with them and has no path of its own.
nlohmann::json model_json(const Experiment& experiment, const ModelSettings& model) {
  nlohmann::json json = to_json(model);
  if (experiment.data.synthetic && model.tokenizer == experiment.data.root)
    json["tokenizer"] = nlohmann::json();
  return json;
}

nlohmann::json method_json(const Experiment& experiment, const MethodSettings& method) {
  nlohmann::json json{{"name", method.name},
                      {"label", method.label},
                      {"options", to_json(method.options)},
                      {"grid", method.grid},
                      {"grid_point", method.grid_point},
                      {"teacher_outputs", method.teacher_outputs}};
  json["teacher_outputs_file"] = path_json(method.teacher_outputs_file);
  json["student"] = method.student ? model_json(experiment, *method.student) : nlohmann::json();
  if (!method.transfer.empty()) json["transfer"] = method.transfer;
  for (const auto& [task, values] : method.task_options) {
    json["task_options"][task] = to_json(Options(values));
  }
  for (const auto& task : experiment.data.tasks) {
    json["train"][task] = to_json(experiment.train_of(task, method));
  }
  return json;
}

// A teacher or an assistant; null when there is none.
nlohmann::json teacher_json(const Experiment& experiment,
                            const std::optional<TeacherSettings>& settings,
                            TrainSettings (Experiment::*train_of)(const std::string&) const) {
  if (!settings) return {};
  const TeacherSettings& teacher = *settings;
  nlohmann::json json = model_json(experiment, teacher.model);
  json["per_seed"] = teacher.per_seed;
  if (teacher.train_limit) json["train_limit"] = *teacher.train_limit;
  json["train"] = nlohmann::json();
  if (!teacher.train) return json;
  for (const auto& task : experiment.data.tasks) {
    json["train"][task] = to_json((experiment.*train_of)(task));
  }
  return json;
}

// By the keys of the file.
nlohmann::json transfer_json(const Experiment& experiment) {
  const TransferSettings& transfer = *experiment.transfer;
  nlohmann::json json{{"kind", transfer.kind}, {"labels", transfer.labels}};
  if (transfer.model) {
    json.update(sampling_json(transfer.language));
    json.update(texts_json(transfer.language));
    if (transfer.language.texts.only_label.empty()) json.erase("filter_label");
    json["model"] = teacher_json(experiment, transfer.model, &Experiment::language_train_of);
    json["model"].erase("per_seed");
  }
  if (transfer.file) json["kind"] = utf8_text(transfer.file->string());
  if (transfer.kind != transfer_kind::kRules) return json;
  json.update(rules_json(transfer.rules.set, /*pair=*/true));
  json["n_iter"] = transfer.rules.set.rules.n_iter;  // as written: it depends on the task
  const TaggerSource& tagger = transfer.rules.tagger;
  if (!tagger.folder.empty()) json["tagger"] = utf8_text(tagger.folder.string());
  for (const auto& file : tagger.corpora) json["tagged_corpus"].push_back(utf8_text(file.string()));
  return json;
}

// Of [transfer] only what the set of this kind depends on; none for no set.
void take_transfer(Experiment& part, const std::string& kind) {
  if (!part.transfer) return;
  if (kind.empty()) {
    part.transfer.reset();
  } else if (kind != transfer_kind::kLanguageModel) {
    part.transfer->model.reset();
  } else {
    part.transfer->kind = kind;
    part.transfer->file.reset();
  }
}

}  // namespace

nlohmann::json to_json(const Options& options) {
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [name, value] : options.values()) {
    std::visit([&, &key = name](const auto& v) { json[key] = v; }, value);
  }
  return json;
}

nlohmann::json Experiment::to_json() const {
  nlohmann::json json{{"name", name}};
  json["data"] = {{"root", data.synthetic ? "synthetic" : utf8_text(data.root.string())},
                  {"tasks", nlohmann::json::array()}};
  if (data.label_noise > 0) json["data"]["label_noise"] = data.label_noise;
  for (const auto& task : data.tasks) {
    nlohmann::json entry{{"name", task},
                         {"max_seq_length", max_seq_length_of(task)},
                         {"train_limit", train_limit_of(task)}};
    if (this->task(task).own) entry["declaration"] = declaration(this->task(task));
    json["data"]["tasks"].push_back(std::move(entry));
  }
  json["teacher"] = teacher_json(*this, teacher, &Experiment::teacher_train_of);
  if (assistant)
    json["assistant"] = teacher_json(*this, assistant, &Experiment::assistant_train_of);
  json["student"] = student ? model_json(*this, *student) : nlohmann::json();
  if (transfer) json["transfer"] = transfer_json(*this);
  json["methods"] = nlohmann::json::array();
  for (const auto& method : methods) json["methods"].push_back(method_json(*this, method));
  return json;
}

nlohmann::json run_config(const Experiment& experiment, const Task& task,
                          const MethodSettings* method, const std::string& transfer) {
  Experiment part = experiment;
  part.data.tasks = {task.name};
  part.methods.clear();
  take_transfer(part, method ? method->transfer : transfer);
  if (method) {
    part.student = student_of(experiment, *method);
    MethodSettings own = *method;
    own.options = method->options_of(task.name);
    own.task_options.clear();  // they are in the options
    own.student.reset();       // it is the part's
    part.methods.push_back(std::move(own));
  }
  return part.to_json();
}

}  // namespace kdbench
