// SPDX-License-Identifier: MIT
// Signals that ask a job to stop so that it can be continued: exit code 75. What is finished stands
// whole under its final name at any moment, so that a process may end between any two instructions;
// a training, which can save how far it is, asks for time to do so.
#pragma once

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "suite/ranks/control.h"

namespace kdbench {

// The signals that StopSignals knows, by their names without SIG.
const std::vector<std::string>& stop_signal_names();

class StopSignals {
 public:
  // From now on, and until this object ends, those of `names` are taken. A process has one such
  // object at a time. Local.
  StopSignals(const std::vector<std::string>& names, const Control& control);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // One has come to this process. Local, for any thread.
  static bool asked();
  // Its name: "SIGUSR1".
  static std::string name();
  // All ranks have agreed to stop, and leave by themselves. Local.
  static void answer();

 private:
  void watch();
  // Until this rank says that it was stopped.
  std::chrono::milliseconds pause() const;

  std::vector<std::string> names_;
  int rank_, ranks_;
  bool over_ = false;
  std::thread thread_;
};

// While one lives, a signal is left to whoever looks at asked(). Otherwise it ends the job within a
// moment, with one message. A second signal, a while after the first, ends the process at once all
// the same.
class StopLater {
 public:
  StopLater();
  ~StopLater();
  StopLater(const StopLater&) = delete;
  StopLater& operator=(const StopLater&) = delete;
};

}  // namespace kdbench
