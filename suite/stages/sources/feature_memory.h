// SPDX-License-Identifier: MIT
// The centroids of a teacher's features that FSD's global structure compares with
// (methods/feature_memory.h), trained over the training rows by all ranks together: what the stage
// "feature-memory" keeps, what `export --memory` writes, and what a method's memory = FILE reads.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "io/stores/teacher_store.h"
#include "methods/method.h"
#include "suite/models/build_model.h"

namespace kdbench {

// One pass over the training rows. visit_part calls its argument with the states (tokens, H) of one
// batch after the other, of this rank's part. Local.
struct StatesPass {
  int64_t rows = 0;  // of all ranks
  std::function<void(const std::function<void(const Ragged&)>&)> visit_part;
};

// States of one layer as they are stored (`teacher` has that layer's hidden states alone), or as
// the model gives them in each pass anew. What is passed must live as long as the result.
StatesPass stored_states(const std::shared_ptr<const TeacherSplit>& teacher,
                         const std::shared_ptr<const FeatureSplit>& rows, const Control& control);
StatesPass computed_states(const TrainedModel& model, int64_t layer,
                           const std::shared_ptr<const FeatureSplit>& rows, const Control& control);

// Trains the memory: needs.epochs passes. Returns (K, positions * hidden) on every rank.
// Collective.
at::Tensor train_feature_memory(const FeatureMemoryNeeds& needs, int64_t positions, int64_t hidden,
                                const StatesPass& pass, const Workspace& workspace);

// What a memory was trained on, kept in its file.
struct FeatureMemoryOrigin {
  std::string task;
  int64_t layer = 0;  // of the teacher, 1-based
  std::string model;  // the hash of its weights, or of the stage that gave the states
};

// The file's tensor is `teacher`. Local.
void write_feature_memory(const at::Tensor& teacher, const FeatureMemoryOrigin& origin,
                          const std::filesystem::path& file);

// On the disk, and in the memory of each rank. 0 when none is needed.
int64_t feature_memory_bytes(const FeatureMemoryNeeds& needs, const ModelShapes& shapes);

// Where the stage keeps its memory.
inline constexpr const char* kFeatureMemoryFile = "memory.safetensors";

// Tensors `teacher` and, optional, `student` of a file of the user, with K rows of max_seq_length *
// H of the teacher and of the student. A file that says so must be of this task and layer. Throws a
// user error. Local.
FeatureMemory read_feature_memory(const FeatureMemoryNeeds& needs, const ModelShapes& shapes,
                                  const std::string& task);

// Finds before any work what is wrong with the memory that a method needs: its file, or more
// centroids than the `rows` training rows of the task. `place`: for the message. Throws a user
// error. Local.
void check_feature_memory(const FeatureMemoryNeeds& needs, const ModelShapes& shapes,
                          const std::string& task, int64_t rows, const std::string& place);

}  // namespace kdbench
