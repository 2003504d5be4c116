// SPDX-License-Identifier: MIT
// Stage "synthetic": the embedded corpora on disk, where data.root = "synthetic" asks for them.
// After it everything goes on as with a GLUE folder.
#pragma once

#include <filesystem>
#include <memory>

#include "io/synthetic/synthetic.h"
#include "suite/config/experiment.h"
#include "suite/graph/graph.h"
#include "suite/stages/rows/scratch_folder.h"

namespace kdbench {

class CorporaStage : public SharedStage {
 public:
  explicit CorporaStage(const SyntheticSettings& settings);

  bool prepares_data() const override { return true; }
  Cost cost(TrainingCosts& costs, const Workspace& workspace) override;

  // The folder with the corpora and their vocabulary: the finished stage, else (in a plan) a
  // temporary one that lives as long as this object. Collective.
  std::filesystem::path root(const Workspace& workspace);

 protected:
  bool make_in(const std::filesystem::path& partial, const Workspace& workspace) override;

 private:
  const SyntheticSettings settings_;
  std::unique_ptr<ScratchFolder> scratch_;
};

// With the annotators' noise that `data` asks for.
CorporaStage& corpora_stage(Graph& graph, const DataSettings& data);

// The experiment reads its data from `root`; models that name no tokenizer take the vocabulary
// there, but those that read the words of the data.
void take_corpora(Experiment& experiment, const std::filesystem::path& root);

}  // namespace kdbench
