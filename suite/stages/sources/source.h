// SPDX-License-Identifier: MIT
// Whom a model learns from, and the way in which that one's outputs reach it: stored, from a file
// of the user, or from the model itself, which then runs beside the student; with a memory of its
// features where the method asks for one.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "io/stores/teacher_store.h"
#include "suite/config/resolved_method.h"
#include "suite/models/online_teacher.h"
#include "suite/stages/sources/feature_memory_stage.h"
#include "suite/stages/sources/source_model.h"
#include "suite/stages/sources/teacher_outputs_stage.h"

namespace kdbench {

// The stages of a source; those that a method does not take are null.
struct Source {
  SourceModel* model = nullptr;           // the teacher or the assistant
  TrainingRows model_rows;                // what is learned from, as `model` reads it
  FeaturesStage* teacher_rows = nullptr;  // of [teacher], finished or not
  TeacherOutputsStage* stored = nullptr;
  FeatureMemoryStage* feature_memory = nullptr;
  std::optional<std::filesystem::path> file;  // of the user, with outputs
  bool online = false;                        // the model runs beside the student
};

// What a run takes of its source; must live as long as the run.
struct SourceOutputs {
  std::shared_ptr<const TeacherSplit> stored;  // null: none are taken
  std::optional<TrainedModel> model;           // that runs beside the student, behind `online`
  std::optional<OnlineTeacher> online;
  std::optional<FeatureMemory> feature_memory;
};

// What the method takes, of stages that are done. `rows`: what the model learns from.
// Collective.
SourceOutputs read_source(const Source& source, const ResolvedMethod& method,
                          const TrainingRows& rows, const Workspace& workspace);

// Whether the largest logit is the same one on all rows. Local.
bool says_one_class(const TeacherSplit& outputs);

// Adds what is wrong with the method's own files (teacher outputs, memory), or between it and the
// rows of both models (`rows`: what the model learns from). Collective.
void check_source(const Source& source, const ResolvedMethod& method, const TrainingRows& rows,
                  Inspection& inspection);

}  // namespace kdbench
