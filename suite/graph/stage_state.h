// SPDX-License-Identifier: MIT
// What is found of a stage or a run in the results' folder, before anybody makes it.
#pragma once

#include <string>

namespace kdbench {

struct StageState {
  enum class Kind { kDone, kRunning, kFailed, kMissing };
  Kind kind = Kind::kMissing;
  std::string who;    // running: "host:pid"
  std::string since;  // running: UTC; failed: when it ended
  std::string why;    // failed: the reason, and how far it came
};

}  // namespace kdbench
