// SPDX-License-Identifier: MIT
// Stage "words": the words of a task's files as a vocabulary, for models that name none and read
// whole words. Every split counts, and the transfer set: words that only dev or test rows have keep
// their first vectors.
#pragma once

#include <filesystem>
#include <memory>

#include "suite/config/experiment.h"
#include "suite/graph/graph.h"
#include "suite/stages/rows/features.h"
#include "suite/stages/rows/scratch_folder.h"

namespace kdbench {

class WordsStage : public SharedStage {
 public:
  WordsStage(FeatureRequest request, StageKey key);

  bool prepares_data() const override { return true; }
  Cost cost(TrainingCosts& costs, const Workspace& workspace) override;

  // The folder with the vocabulary: the finished stage, else (in a plan) a temporary one that lives
  // as long as this object. Collective.
  std::filesystem::path vocabulary(const Workspace& workspace);

 protected:
  bool make_in(const std::filesystem::path& partial, const Workspace& workspace) override;

 private:
  FeatureRequest request_;
  std::unique_ptr<ScratchFolder> scratch_;
};

// The stage of the words in the files of `request`, whose tokenizer is not looked at. Collective.
WordsStage& words_stage(Graph& graph, const FeatureRequest& request, const Workspace& workspace);

// Models of the experiment that read their data's words do so, on this task, by the vocabulary in
// `folder`.
void take_words(Experiment& experiment, const Task& task, const std::filesystem::path& folder);
// Whether there are any.
bool any_reads_own_words(const Experiment& experiment);

}  // namespace kdbench
