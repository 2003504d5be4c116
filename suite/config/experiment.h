// SPDX-License-Identifier: MIT
// The experiment file (TOML), read, overridden by --set, validated and resolved into plain structs.
// All problems are found before a user error lists them (file:line, key, what was expected, a
// hint).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "io/tasks/task.h"
#include "methods/method.h"
#include "methods/options/options.h"
#include "suite/models/model_settings.h"
#include "suite/training/train_settings.h"
#include "suite/transfer/rule_keys.h"
#include "suite/transfer/sample_keys.h"

namespace kdbench {

struct TeacherSettings {
  ModelSettings model;
  bool per_seed = false;
  std::optional<int64_t> train_limit;  // of its own training rows; absent: those of [data]
  std::optional<TrainLayer> train;     // present (even empty): fine-tuned first
};

struct DataSettings {
  bool synthetic = false;      // root = "synthetic": the embedded corpora
  std::filesystem::path root;  // absolute; of synthetic data empty until they are in place
  std::vector<std::string> tasks;
  OwnTasks own_tasks;  // that [task.<NAME>] declares, whether they are in `tasks` or not
  int64_t max_seq_length = 128;
  std::map<std::string, int64_t> max_seq_length_of;  // [task.<TASK>.data], may be empty
  int64_t label_noise = 0;  // of the embedded corpora: SyntheticSettings::label_noise
  int64_t train_limit = 0;
  std::map<std::string, int64_t> train_limit_of;  // [task.<TASK>.data] train_limit
};

// [transfer]: rows without labels that students may learn from in place of the training rows.
struct TransferSettings {
  std::string kind = transfer_kind::kRules;
  std::optional<std::filesystem::path> file;  // absolute: a TSV, or a folder of <TASK>.tsv
  RuleSettings rules;
  // [transfer.model], with which there is a set of a language model's too, whatever `kind`.
  std::optional<TeacherSettings> model;
  LanguageSettings language;
  // "teacher": the class that the teacher finds likeliest stands for a label; none: losses take
  // none.
  std::string labels = "none";

  // Of the sets that there are.
  std::vector<std::string> kinds() const;
};

// One [[method]] at one grid point.
struct MethodSettings {
  std::string name;
  std::string label;  // unique in the experiment; grid points have "label[key=value,...]"
  Options options;    // complete and validated; on most tasks, see options_of
  std::string grid;   // the label that the points of a grid share; empty without a grid
  std::map<std::string, std::string> grid_point;  // "alpha", "train.epochs" -> value as text
  TrainLayer train;
  // [method.task.<TASK>]: single keys for one task.
  std::map<std::string, std::map<std::string, OptionValue>> task_options;
  std::map<std::string, TrainLayer> task_train;
  std::optional<ModelSettings> student;
  std::string teacher_outputs = "auto";  // auto | store | online | file
  std::optional<std::filesystem::path> teacher_outputs_file;
  std::string transfer;  // the kind of the set that it learns from; empty: the training rows

  Options options_of(const std::string& task) const;
};

struct Experiment {
  std::string name;
  std::filesystem::path file;
  DataSettings data;
  std::optional<TeacherSettings> teacher;
  std::optional<TeacherSettings> assistant;  // between teacher and student (TAKD)
  std::optional<ModelSettings> student;
  std::optional<TransferSettings> transfer;
  TrainLayer train;
  std::map<std::string, TrainLayer> task_train;  // [task.<TASK>.train]
  std::vector<MethodSettings> methods;

  // Layers, the later one winning: defaults, [train], [task.<TASK>.train], [method.train],
  // [method.task.<TASK>.train].
  TrainSettings train_of(const std::string& task, const MethodSettings& method) const;
  // The same with [teacher.train] last.
  TrainSettings teacher_train_of(const std::string& task) const;
  // The same with [assistant.train] last.
  TrainSettings assistant_train_of(const std::string& task) const;
  // The same with [transfer.train] last.
  TrainSettings language_train_of(const std::string& task) const;
  // One of data.tasks.
  const Task& task(const std::string& name) const;
  int64_t max_seq_length_of(const std::string& task) const;
  int64_t train_limit_of(const std::string& task) const;
  // Of a teacher's or an assistant's own training.
  int64_t train_limit_of(const std::string& task, const TeacherSettings& teacher) const;
  // Everything, resolved, for the file beside the runs, hashing and --dry-run.
  nlohmann::json to_json() const;
};

// What an experiment file must hold: its teachers alone need neither [student] nor [[method]].
enum class ExperimentPart { kAll, kTeachers };

// `overrides`: "train.epochs=2", "method.<label>.alpha=0.5". Relative paths in the file are
// relative to it, in overrides to the working folder. `wanted`: the tasks whose files must be
// there; none: all. Local (no collective).
Experiment load_experiment(const std::filesystem::path& file,
                           const std::vector<std::string>& overrides,
                           ExperimentPart part = ExperimentPart::kAll,
                           const std::vector<std::string>& wanted = {});

// The tasks that the file declares in [task.<NAME>]; the rest of it is not looked at. Local.
OwnTasks declared_tasks(const std::filesystem::path& file);

nlohmann::json to_json(const Options& options);

// What of the experiment concerns one run, for its run.json; laid out as Experiment::to_json. Data
// and training keys of this task alone; the one method, with its options on this task, and the
// student that it trains. Null: the run of a teacher or an assistant, which has no method, or of a
// language model, which is of `transfer`.
nlohmann::json run_config(const Experiment& experiment, const Task& task,
                          const MethodSettings* method, const std::string& transfer = "");

}  // namespace kdbench
