// SPDX-License-Identifier: MIT
// Stage "transfer-set": unlabelled rows like a task's own, on which students learn what a teacher
// says. How they are made is a SetMaker's; all leave the same file (suite/transfer/set_file.h),
// with the same bytes on any number of ranks.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "suite/graph/graph.h"
#include "suite/stages/rows/features.h"
#include "suite/stages/rows/scratch_folder.h"
#include "suite/stages/rows/stage_context.h"

namespace kdbench {

// One kind of set for one task.
struct SetMaker {
  std::string kind;  // transfer_kind
  // Everything that the set depends on. Local, on the root; reads files, throws user errors.
  std::function<nlohmann::json()> inputs;
  // Writes the rows to this new file; returns what is to be recorded of them, on the root.
  // Collective.
  std::function<nlohmann::json(const std::filesystem::path& file, const Workspace&)> write;
  std::vector<Stage*> needs = {};
  // In its place in a plan, where what it needs is not there: about as many rows, as long. Null:
  // `write` needs nothing.
  decltype(write) stand_in = nullptr;
};

class TransferSetStage : public SharedStage {
 public:
  TransferSetStage(const Task& task, SetMaker maker, StageKey key);

  bool prepares_data() const override { return true; }
  Cost cost(TrainingCosts& costs, const Workspace& workspace) override;

  // The rows: of the finished stage, else (in a plan) of a temporary one that lives as long as this
  // object. Collective.
  TransferFile rows(const Workspace& workspace);
  // What is known of them, for run.json: rows, sha256, seconds, and what the maker records.
  // Collective.
  nlohmann::json record(const Workspace& workspace);

 protected:
  bool make_in(const std::filesystem::path& partial, const Workspace& workspace) override;

 private:
  void write(const decltype(SetMaker::write)& make, const std::filesystem::path& folder,
             const Workspace& workspace);

  const Task& task_;
  SetMaker maker_;
  std::unique_ptr<ScratchFolder> scratch_;  // of the root, in a plan
  std::filesystem::path temporary_;         // its path, on all ranks
};

// The stage of a set of the experiment's [transfer]. Collective.
TransferSetStage& transfer_stage(StageContext& context, const Task& task, SetMaker maker);

// kind = "rules": variations of the training rows (suite/transfer/rule_set.h).
SetMaker rule_set_maker(StageContext& context, const Task& task);
// kind = FILE: rows that the user brings, by the names of the task's text columns.
SetMaker file_set_maker(StageContext& context, const Task& task);

}  // namespace kdbench
