// SPDX-License-Identifier: MIT
// What the verbs that compute have in common: --out, --device, --threads, and the workspace made
// from them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "suite/ranks/stop_signals.h"
#include "suite/ranks/watchdog.h"
#include "suite/ranks/workspace.h"
#include "suite/verbs/verb.h"

namespace kdbench {

struct SessionOptions {
  std::string out = "results";
  std::string device = "auto";
  int threads = 0;  // per rank; 0: the usable cores shared with the other ranks of the host
  bool quiet = false;
  std::string log;    // a file
  std::string trace;  // a file
  std::vector<std::string> stop_signals{"TERM", "INT", "USR1"};
  int patience = 1800;  // seconds, of Watchdog; 0: none
};

// --device, of the verbs that compute.
void add_device_option(CLI::App& app, std::string& device);
void add_session_options(CLI::App& app, SessionOptions& options);
// --trace, of the verbs that train.
void add_trace_option(CLI::App& app, SessionOptions& options);

// Whether a session begins with start_checks: what is broken is a machine error, the rest is said.
enum class StartChecks { kMake, kLeave };

// Collective construction: checks the device and the ranks, and sets the number of threads.
class Session {
 public:
  Session(const SessionOptions& options, const VerbContext& context,
          StartChecks checks = StartChecks::kMake);
  const Workspace& workspace() const { return *workspace_; }

 private:
  void check_start() const;

  std::unique_ptr<Collectives> collectives_;
  std::unique_ptr<Workspace> workspace_;
  std::unique_ptr<StopSignals> stop_signals_;
  std::unique_ptr<Watchdog> watchdog_;
};

}  // namespace kdbench
