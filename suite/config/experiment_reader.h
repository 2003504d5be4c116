// SPDX-License-Identifier: MIT
// The experiment file's tables, one reader each. Problems go to the table's list; what could not be
// read keeps its default.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "methods/models/model_config.h"
#include "suite/config/experiment.h"
#include "suite/config/toml_reader.h"

namespace kdbench {

// A name that becomes part of a folder: letters, digits, ".", "_", "-", "+", "=", not beginning
// with ".".
void check_name(TableReader& table, const std::string& key, const std::string& name);

// The task of this name, GLUE's or one of `own`; or null with a problem at `key`.
const Task* task_or_problem(TableReader& table, const std::string& key, const std::string& name,
                            const OwnTasks& own);

// Any [..train].
TrainLayer read_train(TableReader table);
// Whether a model of these sizes can be trained on the task with these settings: the length of its
// rows, the metric that selects its weights. `place`: where the model or its method stands.
void check_on_task(const Experiment& experiment, const Task& task, const ModelConfig& model,
                   const TrainSettings& train, const std::string& place, Problems& problems);
// [task.<TASK>]: tasks that it declares, and what it says of the data and the training of a task.
void read_tasks(TableReader table, Experiment& experiment);
// [data], after the tables of tasks: also looks for the files of the tasks that are wanted; none:
// of all.
void read_data(TableReader table, DataSettings& data, const std::vector<std::string>& wanted);
// [model]: the weights of every model that names none, and what became of them.
struct BaseModel {
  std::optional<std::filesystem::path> weights;
  std::string place;      // of the key
  bool set = false;       // by --set
  bool taken = false;     // by a model
  bool usable = true;     // once it is taken; else the problem is listed
  bool replaced = false;  // a model has weights by --set
};
BaseModel read_base_model(TableReader table);
// [teacher]. With synthetic data models without weights need no tokenizer, here and below.
TeacherSettings read_teacher(TableReader table, const DataSettings& data, BaseModel& base);
// [student] or [method.student]; `teacher` (or null) is what init_from = "teacher" refers to.
ModelSettings read_student(TableReader table, const DataSettings& data,
                           const TeacherSettings* teacher, BaseModel& base);

// [transfer.model] and [transfer.train], in the table of [transfer].
TeacherSettings read_language_model(TableReader& transfer, const DataSettings& data,
                                    BaseModel& base);
// [transfer], after data and tasks.
TransferSettings read_transfer(TableReader table, const Experiment& experiment, BaseModel& base);

// One [[method]] with all its grid points; none when its name cannot be used. Data, teacher and
// student of `experiment` must have been read.
std::vector<MethodSettings> read_method(TableReader table, const Experiment& experiment,
                                        BaseModel& base);

// Whether the method can work with the experiment's models and tasks. `place`: where the method
// stands. Needs models that were read without a problem.
void check_method(const Experiment& experiment, const MethodSettings& method,
                  const std::string& place, Problems& problems);

}  // namespace kdbench
