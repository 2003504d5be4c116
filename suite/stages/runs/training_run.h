// SPDX-License-Identifier: MIT
// One run from what it needs to its result folder: trains (or only scores) the learner, predicts
// all splits, writes run.json, events.jsonl, predictions/ and model/. Teachers and students alike.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "suite/stages/runs/learner.h"

namespace kdbench {

// Where a run goes and what names it.
struct RunTarget {
  std::filesystem::path folder;  // final name
  std::string run_id;
  nlohmann::json inputs;              // everything that the result depends on
  std::filesystem::path checkpoints;  // where its training is kept while it is under way
};

// The learner's needs are done. Goes on with a training that is kept, and throws Error(kStopped, on
// every rank) where it is stopped; checkpoints of what is done or failed are left to be removed
// (remove_checkpoints). Returns why the run failed, which is recorded; nothing when it is
// done. Collective.
std::string execute(const Learner& learner, const RunTarget& target, const Workspace& workspace);

// Leaves a record that the run could not take place, for example because its teacher failed.
// Collective.
void record_failure(const Learner& learner, const RunTarget& target, const std::string& reason,
                    const Workspace& workspace);

}  // namespace kdbench
