// SPDX-License-Identifier: MIT
#include "suite/stages/sources/source.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/base/error.h"
#include "io/batches/dataset.h"
#include "suite/stages/sources/outputs_file.h"

namespace kdbench {
namespace {

std::shared_ptr<const TeacherSplit> read_stored(const Source& source, const ResolvedMethod& method,
                                                const TrainingRows& rows,
                                                const Workspace& workspace) {
  if (source.stored) return source.stored->read(method.needs, workspace);
  const FeatureStoreInfo& info = rows.stage->rows(workspace).store.info;
  const auto read = rows.read(workspace);
  std::shared_ptr<const TeacherSplit> outputs;
  workspace.control.agree_reading(
      [&] { outputs = read_outputs_file(method, method.needs, info, *read, workspace.control); });
  return outputs;
}

void put_beside(const Source& source, const ResolvedMethod& method, SourceOutputs& outputs,
                const Workspace& workspace) {
  outputs.model =
      load_trained_model(source.model->finished_model(workspace), *method.task, workspace);
  outputs.online = {outputs.model->model.get(), method.needs, source.model_rows.read(workspace)};
}

FeatureMemory take_feature_memory(const Source& source, const ResolvedMethod& method,
                                  const Workspace& workspace) {
  if (source.feature_memory) return source.feature_memory->read(workspace);
  FeatureMemory memory;
  workspace.control.agree([&] {
    memory = read_feature_memory(method.needs.feature_memory, method.shapes, method.task->name);
  });
  return memory;
}

void check_outputs_file(const ResolvedMethod& method, const FeatureStoreInfo& info,
                        const std::shared_ptr<const FeatureSplit>& rows, Inspection& inspection) {
  TeacherNeeds needs = method.needs;
  needs.hidden_layers = stored_hidden_layers(needs);
  const auto outputs = read_outputs_file(method, needs, info, *rows, inspection.workspace.control);
  make_dataset(rows, method.shapes.student.labels, outputs);
  if (!outputs->hidden) return;
  const std::string states = fmt::format("{} {}", method.settings->teacher_outputs_file->string(),
                                         fmt::join(needs.hidden_layers, ","));
  if (!inspection.read_through.insert(states).second) return;
  const Control& control = inspection.workspace.control;
  outputs->hidden->verify(control.rank(), control.size());
}

// The method takes states of the teacher's tokens: the student's must be the same.
void check_same_tokens(const ResolvedMethod& method, const Features& rows,
                       const Features& teacher_rows) {
  if (rows.hash == teacher_rows.hash) return;
  const bool takes_states =
      !method.settings->teacher_outputs_file && !stored_hidden_layers(method.needs).empty();
  if (!takes_states && !method.needs.same_tokens) return;
  throw_user_error("method." + method.settings->label,
                   method.task->name +
                       ": takes the teacher's states of every token, but the student's tokenizer "
                       "cuts the rows into other tokens than the "
                       "teacher's",
                   "a student with the teacher's vocabulary");
}

}  // namespace

SourceOutputs read_source(const Source& source, const ResolvedMethod& method,
                          const TrainingRows& rows, const Workspace& workspace) {
  SourceOutputs outputs;
  if (source.online) {
    put_beside(source, method, outputs, workspace);
  } else if (method.takes_outputs()) {
    outputs.stored = read_stored(source, method, rows, workspace);
  }
  if (method.needs.feature_memory.centroids > 0) {
    outputs.feature_memory = take_feature_memory(source, method, workspace);
  }
  return outputs;
}

bool says_one_class(const TeacherSplit& outputs) {
  const int64_t classes = outputs.classes;
  if (classes < 2) return false;
  const auto choice = [&](int64_t row) {
    const float* logits = outputs.logits.data() + row * classes;
    return std::max_element(logits, logits + classes) - logits;
  };
  for (int64_t row = 1; row < outputs.rows(); ++row) {
    if (choice(row) != choice(0)) return false;
  }
  return true;
}

void check_source(const Source& source, const ResolvedMethod& method, const TrainingRows& rows,
                  Inspection& inspection) {
  const Workspace& workspace = inspection.workspace;
  inspection.problems.collect([&] {
    const Features& own = rows.stage->rows(workspace);
    const auto learned = rows.read(workspace);
    const Features* others = source.teacher_rows ? &source.teacher_rows->rows(workspace) : nullptr;
    workspace.control.agree_reading([&] {
      if (others) check_same_tokens(method, own, *others);
      if (source.file) check_outputs_file(method, own.store.info, learned, inspection);
      check_feature_memory(method.needs.feature_memory, method.shapes, method.task->name,
                           learned->rows(), "method." + method.settings->label);
    });
  });
}

}  // namespace kdbench
