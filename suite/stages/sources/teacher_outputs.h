// SPDX-License-Identifier: MIT
// A model's outputs on rows of a task, written as a teacher store: what the stage of that name
// keeps, and what `export` writes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/stores/teacher_store.h"
#include "methods/method.h"
#include "suite/models/build_model.h"
#include "suite/stages/rows/features.h"

namespace kdbench {

struct OutputRequest {
  std::vector<std::string> splits{kTrainSplit};
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

// What a run reads of a store: one split's logits and the states that it takes. [CLS] states
// that take more than half of the memory that the host has available stay on the disk. Local.
TeacherPart teacher_part(const TeacherNeeds& needs, const std::string& split,
                         const Control& control);

}  // namespace kdbench
