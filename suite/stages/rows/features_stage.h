// SPDX-License-Identifier: MIT
// Stage "features": GLUE files and a tokenizer to a feature store.
#pragma once

#include <filesystem>
#include <optional>

#include "suite/graph/graph.h"
#include "suite/stages/rows/features.h"

namespace kdbench {

class FeaturesStage : public SharedStage {
 public:
  FeaturesStage(FeatureRequest request, StageKey key)
      : SharedStage(std::move(key), request.task->name, title_of(request)),
        request_(std::move(request)) {}

  bool prepares_data() const override { return true; }
  Cost cost(TrainingCosts& costs, const Workspace& workspace) override;
  void release() override { rows_.reset(); }

  // The rows: from the finished stage, else (in a plan) tokenised in memory. Kept until release().
  // Collective.
  const Features& rows(const Workspace& workspace);

 protected:
  bool make_in(const std::filesystem::path& partial, const Workspace& workspace) override;

 private:
  static std::string title_of(const FeatureRequest& request);

  FeatureRequest request_;
  std::optional<Features> rows_;
};

// The stage of a request. Collective.
FeaturesStage& features_stage(Graph& graph, const FeatureRequest& request,
                              const Workspace& workspace);

}  // namespace kdbench
