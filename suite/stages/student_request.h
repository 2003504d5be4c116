// SPDX-License-Identifier: MIT
// One student run = task x method (x grid point) x seed, and what follows from the experiment
// alone: its models, what it takes from whom. Everything here is local; sizes of models given by a
// folder are read from its config.json.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "methods/method.h"
#include "suite/config/experiment.h"
#include "suite/models/model_setup.h"
#include "suite/stages/features.h"
#include "suite/stages/model_stage.h"

namespace kdbench {

struct StudentRequest {
  const Experiment* experiment = nullptr;
  const Task* task = nullptr;
  const MethodSettings* method = nullptr;
  int64_t seed = 1;
};

std::unique_ptr<Method> make_method(const StudentRequest& request);

// The method's options for the hash of a run: a file counts by its content, not by where it lies.
nlohmann::json option_inputs(const StudentRequest& request);

ModelShapes request_shapes(const StudentRequest& request);

// What the method needs from the teacher.
TeacherNeeds student_needs(const StudentRequest& request);

// Whose finished model the run takes, for its outputs or as the student's first weights.
enum class SourceKind { kNone, kTeacher, kAssistant };
SourceKind source_kind(const StudentRequest& request);

// The assistant is trained, so that it needs the teacher.
bool trains_assistant(const Experiment& experiment);

// The source runs beside the student instead of being stored.
bool runs_online(const StudentRequest& request);

// Layers whose states of every token are taken from a store: a memory is trained from them too.
std::vector<int64_t> stored_hidden_layers(const TeacherNeeds& needs);

// What all methods of the experiment take from the teacher's stored outputs on a task: it runs
// once.
TeacherNeeds shared_needs(const StudentRequest& request);

// What is stored of the source that the request learns from.
TeacherNeeds stored_needs(const StudentRequest& request, SourceKind source);

// The student's model, with the parameters that the method adds. `teacher`: null, or the one whose
// weights it may begin with.
ModelRequest student_model(const StudentRequest& request, const Teacher* teacher);

// The teacher that learns beside the student, where the method trains one: `teacher`'s weights when
// the method asks for a finished one, else those that [teacher] names.
std::optional<ModelRequest> learning_teacher(const StudentRequest& request, const Teacher* teacher);

// Throws a user error when the method takes states of the teacher's tokens, or trains both models
// on the same rows, and the student's tokens are others.
void check_same_tokens(const StudentRequest& request, const Features& features,
                       const Features& teacher_features);

}  // namespace kdbench
