// SPDX-License-Identifier: MIT
// Where a run's results go: <out>/<experiment>/<run-id>, or <run-id>-2, -3, ... after failed
// attempts. One job at a time works there: a second one waits and finds the run finished.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "suite/graph/stage_lock.h"
#include "suite/ranks/workspace.h"

namespace kdbench {

class RunPlace {
 public:
  // Locks the run until this object ends, unless it is done already. Collective.
  RunPlace(const Workspace& workspace, const std::string& experiment, const std::string& run_id);

  const std::filesystem::path& folder() const { return folder_; }
  std::string run_id() const { return folder_.filename().string(); }
  bool done() const { return done_; }  // a finished run stands there

 private:
  std::optional<StageLock> lock_;
  std::filesystem::path folder_;
  bool done_ = false;
};

}  // namespace kdbench
