// SPDX-License-Identifier: MIT
// Stage "teacher-outputs": what a teacher or an assistant says of the rows that others learn from,
// stored once for all runs that take it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "suite/graph/graph.h"
#include "suite/stages/rows/training_rows.h"
#include "suite/stages/sources/source_model.h"
#include "suite/stages/sources/teacher_outputs.h"

namespace kdbench {

// The stage's name. Local.
StageKey teacher_outputs_key(const std::string& model_hash, const std::string& features_hash,
                             const TeacherNeeds& needs);

// What the store of these rows takes on the disk, with hidden states, and of it what a host holds
// in memory, once: row ids, logits and the [CLS] states asked for. 0 when nothing is taken.
int64_t teacher_store_bytes(const FeatureSplit& rows, const TeacherNeeds& needs,
                            const ModelShapes& shapes);
int64_t teacher_outputs_bytes(int64_t rows, const TeacherNeeds& needs, const ModelShapes& shapes);

// The outputs of a teacher or an assistant on rows that others learn from.
class TeacherOutputsStage : public SharedStage {
 public:
  // `rows`: as the model's own tokenizer cuts them. `needs`: of all who share the stage.
  TeacherOutputsStage(SourceModel& model, TrainingRows rows, TeacherNeeds needs, ModelShapes shapes,
                      StageKey key);

  Cost cost(TrainingCosts& costs, const Workspace& workspace) override;
  void release() override { read_.clear(); }

  // The layers of `own`, in their order; what was read is kept until release(). Collective.
  std::shared_ptr<const TeacherSplit> read(const TeacherNeeds& own, const Workspace& workspace);

 protected:
  bool make_in(const std::filesystem::path& partial, const Workspace& workspace) override;

 private:
  SourceModel& model_;
  TrainingRows rows_;
  TeacherNeeds needs_;
  ModelShapes shapes_;
  using Layers = std::pair<std::vector<int64_t>, std::vector<int64_t>>;  // [CLS], every token
  std::map<Layers, std::shared_ptr<const TeacherSplit>> read_;
};

TeacherOutputsStage& teacher_outputs_stage(Graph& graph, SourceModel& model,
                                           const TrainingRows& rows, const TeacherNeeds& needs,
                                           const ModelShapes& shapes);

}  // namespace kdbench
