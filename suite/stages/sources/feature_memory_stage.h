// SPDX-License-Identifier: MIT
// Stage "feature-memory": the centroids of a teacher's features, for the runs of a method that asks
// for them.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "suite/config/resolved_method.h"
#include "suite/graph/graph.h"
#include "suite/stages/rows/features_stage.h"
#include "suite/stages/sources/feature_memory.h"
#include "suite/stages/sources/teacher_outputs_stage.h"

namespace kdbench {

// Whence the states that a memory is trained on come: from a store of the suite, from a user's
// file, or from the model itself.
struct StatesSource {
  SourceModel* model = nullptr;           // null with a file
  TeacherOutputsStage* stored = nullptr;  // null: the model computes them in each pass
  std::optional<std::filesystem::path> file;
};

class FeatureMemoryStage : public SharedStage {
 public:
  // `rows`: those of the model that learns, with the same tokens as the states'.
  FeatureMemoryStage(StatesSource source, const ResolvedMethod& method, FeaturesStage& rows,
                     StageKey key);

  Cost cost(TrainingCosts& costs, const Workspace& workspace) override;
  void release() override { memory_.reset(); }

  // Kept until release(). Collective.
  const FeatureMemory& read(const Workspace& workspace);

 protected:
  bool make_in(const std::filesystem::path& partial, const Workspace& workspace) override;

 private:
  at::Tensor train(const Workspace& workspace);
  at::Tensor train_on_model(const Workspace& workspace);
  at::Tensor train_on_store(const std::shared_ptr<const TeacherSplit>& states,
                            const Workspace& workspace);

  StatesSource source_;
  const ResolvedMethod& method_;
  FeaturesStage& rows_;
  std::optional<FeatureMemory> memory_;
};

// The stage of the memory that `method` asks for; hashes the file, if any. Collective.
FeatureMemoryStage& feature_memory_stage(Graph& graph, const StatesSource& source,
                                         const ResolvedMethod& method, FeaturesStage& rows,
                                         const Workspace& workspace);

}  // namespace kdbench
