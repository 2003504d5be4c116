// SPDX-License-Identifier: MIT
// A method of an experiment on one of its tasks, at one grid point: everything that follows from
// the experiment alone, found once and carried.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "io/tasks/task.h"
#include "methods/method.h"
#include "suite/config/experiment.h"
#include "suite/models/initial_model.h"

namespace kdbench {

// Whose finished model a run takes, for its outputs or as the student's first weights.
enum class SourceKind { kNone, kTeacher, kAssistant };

struct ResolvedMethod {
  const Experiment* experiment = nullptr;
  const Task* task = nullptr;
  const MethodSettings* settings = nullptr;
  const ModelSettings* student = nullptr;
  TrainSettings train;
  Options options;
  nlohmann::json option_inputs;  // for hashes: a file counts by its content, not by where it lies
  ModelShapes shapes;
  TeacherNeeds needs;
  std::vector<ExtraParameter> extra;
  SourceKind source = SourceKind::kNone;
  bool online = false;  // the source runs beside the student instead of being stored

  std::unique_ptr<Method> make() const;
  bool takes_outputs() const { return kdbench::takes_outputs(needs); }
  // The student begins with the weights of the fine-tuned teacher.
  bool begins_as_teacher() const;
};

// Reads config.json of the models and hashes files that options name. Local; throws user errors.
ResolvedMethod resolve(const Experiment& experiment, const Task& task,
                       const MethodSettings& method);

// The student of a run.
InitialModel student_model(const ResolvedMethod& method, int64_t seed);

// The teacher that learns beside the student, where the method trains one, with the weights that
// [teacher] names.
std::optional<InitialModel> learning_teacher(const ResolvedMethod& method, int64_t seed);

// Layers whose states of every token are taken from a store: a feature memory is trained from them
// too.
std::vector<int64_t> stored_hidden_layers(const TeacherNeeds& needs);

}  // namespace kdbench
