// SPDX-License-Identifier: MIT
// Stage "teacher-outputs", and what `export` writes: a model's outputs on rows of a task, as a
// teacher store.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/stores/teacher_store.h"
#include "methods/method.h"
#include "suite/graph/stage_store.h"
#include "suite/models/model_setup.h"
#include "suite/stages/features.h"
#include "suite/stages/teacher.h"

namespace kdbench {

struct OutputRequest {
  std::vector<std::string> splits{"train"};
  std::vector<int64_t> cls_layers;     // 1-based
  std::vector<int64_t> hidden_layers;  // 1-based: the states of every token
  bool pooled = false;
  std::string store_dtype = "float32";  // of all states
};

// Runs the model over the rows of `features` (of its own tokenizer) and writes `file`; hidden
// states go to the disk while it runs. Collective.
void write_teacher_outputs(const TrainedModel& model, const Features& features,
                           const OutputRequest& request, const std::filesystem::path& file,
                           const Workspace& workspace);

// What a run reads of a store: the training rows' logits and the states that it takes. [CLS] states
// that take more than half of the memory that the host has available stay on the disk. Local.
TeacherPart teacher_part(const TeacherNeeds& needs, const Control& control);

// The stage's name: of the teacher and the features only the hashes count. Local.
StageKey teacher_outputs_key(const Teacher& teacher, const TeacherNeeds& needs,
                             const Features& features);

// The teacher's outputs on the training rows of `features`. `needs`: of all who share the stage;
// `own`: whose layers are read, in their order. Collective.
std::shared_ptr<const TeacherSplit> ensure_teacher_outputs(const Teacher& teacher, const Task& task,
                                                           const TeacherNeeds& needs,
                                                           const TeacherNeeds& own,
                                                           const Features& features,
                                                           const Workspace& workspace);

}  // namespace kdbench
