// SPDX-License-Identifier: MIT
// Whom a run learns from, and the way in which that model's outputs reach it: stored, from a file
// of the user, or from the model itself, which then runs beside the student; with a memory of its
// features where the method asks for one.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "io/stores/teacher_store.h"
#include "suite/models/online_teacher.h"
#include "suite/stages/student_request.h"

namespace kdbench {

struct Source {
  SourceKind kind = SourceKind::kNone;
  const Teacher* model = nullptr;  // the teacher or the assistant; null: nobody, or a file
  const Features* rows = nullptr;  // as its own tokenizer cuts them
};

// What a run takes of its source; must live as long as the run.
struct SourceOutputs {
  std::shared_ptr<const TeacherSplit> stored;  // of the training rows; null: none are taken
  std::optional<TrainedModel> model;           // that runs beside the student, behind `online`
  std::optional<OnlineTeacher> online;
  std::optional<FeatureMemory> memory;
};

// Layers of files of the user that have been read through: once is enough for all methods.
using ReadFiles = std::set<std::pair<std::filesystem::path, std::vector<int64_t>>>;

// Reads the method's teacher outputs when they are a file of the user, and throws what is wrong
// with it; of hidden states this rank's part, unless they are in `read`. Collective over the host,
// whose ranks all throw what one of them finds in the file; local for a rank by itself.
void check_teacher_outputs_file(const StudentRequest& request, const Features& features,
                                ReadFiles& read, const Control& control);

// Throws when the method's memory cannot be read, or cannot be trained on these rows. Local.
void check_memory(const StudentRequest& request, const Features& features);

// The stage of the method's memory; none where it needs none, or names a file. Local; reads the
// file that gives the states, if any.
std::optional<StageKey> request_memory_key(const StudentRequest& request, const Features& features,
                                           const Teacher* source);

// Makes the stages that are not there yet. `features`: the rows of the model that learns.
// Collective.
SourceOutputs ensure_source_outputs(const StudentRequest& request, const Features& features,
                                    const Source& source, const Workspace& workspace);

}  // namespace kdbench
