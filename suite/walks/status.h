// SPDX-License-Identifier: MIT
// The walk that looks what is there: every stage and run of an experiment, done, running, failed,
// waiting or missing.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "suite/config/experiment.h"
#include "suite/config/selection.h"
#include "suite/ranks/workspace.h"

namespace kdbench {

struct StageStatus {
  std::string kind, what;  // "teacher", "MRPC seed 1"
  std::string name;        // of its folder; empty: it depends on weights that do not exist yet
  std::string folder;      // relative to the results' folder; empty without a name
  std::string state;       // done | running | failed | waiting | missing
  std::string who, since;  // running: "host:pid"; running, failed: since when (UTC)
  std::string why;         // failed: the reason and how far it came
  std::vector<std::string> waiting_for;  // what must be made next before it: "teacher MRPC seed 1"
};

// What waits is not there and needs what is not done; what is missing could be made now. Throws one
// user error that lists what cannot be read. Local.
std::vector<StageStatus> status_of(const Experiment& experiment, const Workspace& workspace,
                                   const Selection& selection = {});

std::string status_text(const std::vector<StageStatus>& stages);
nlohmann::json status_json(const Experiment& experiment, const std::vector<StageStatus>& stages);

}  // namespace kdbench
