// SPDX-License-Identifier: MIT
// Where a run's results go: <out>/<experiment>/<run-id>, or <run-id>-2, -3, ... after failed
// attempts. One job at a time works there: a second one waits and finds the run finished, or
// leaves.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "suite/graph/stage_lock.h"
#include "suite/graph/stage_state.h"
#include "suite/ranks/workspace.h"

namespace kdbench {

class RunPlace {
 public:
  // Locks the run until this object ends, unless it is done already. `what`: its name for people,
  // "run MRPC kd seed 1"; `busy`: as of StageLock, whoever gets it must not work there. Collective.
  RunPlace(const Workspace& workspace, const std::string& experiment, const std::string& run_id,
           const std::string& what, std::string* busy = nullptr);

  const std::filesystem::path& folder() const { return folder_; }
  std::string run_id() const { return folder_.filename().string(); }
  bool done() const { return done_; }  // a finished run stands there

 private:
  std::optional<StageLock> lock_;
  std::filesystem::path folder_;
  bool done_ = false;
};

// A method's label as a part of a folder's name without what shells expand or split at:
// "kd[alpha=0.5,train.epochs=3]" -> "kd+alpha-0.5+train.epochs-3". Others may become the same text;
// the hash in a run's id tells them apart.
std::string folder_text(const std::string& label);

// Whether the run is finished; `folder` receives where it lies, or would. Collective.
bool run_is_done(const Workspace& workspace, const std::string& experiment,
                 const std::string& run_id, std::filesystem::path* folder);

// Removes the finished run, if there is one, once no other job is at work on it; failed attempts
// stay. Collective.
void discard_run(const Workspace& workspace, const std::string& experiment,
                 const std::string& run_id, const std::string& what);

// What is found of the run: done, being made, failed at its last attempt, or nothing. Local.
StageState look_at_run(const std::filesystem::path& out, const std::string& experiment,
                       const std::string& run_id);

}  // namespace kdbench
