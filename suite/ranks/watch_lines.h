// SPDX-License-Identifier: MIT
// TCP connections between the first rank and every other one, beside MPI: for threads, which MPI
// does not serve, and for what must arrive while MPI waits. Short messages of one size.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "suite/ranks/control.h"

namespace kdbench {

// A sign of life, as it travels.
struct Beat {
  int64_t over = 0;      // it is the last one: its rank is done
  uint64_t changes = 0;  // Doing::Seen
  char words[64] = "";
  char awaits[32] = "";  // "": nothing
};

// One end of a connection; sends and receives without waiting.
class WatchLine {
 public:
  explicit WatchLine(int descriptor = -1) : descriptor_(descriptor) {}
  ~WatchLine();
  WatchLine(WatchLine&& other) noexcept;
  WatchLine& operator=(WatchLine&& other) noexcept;

  int descriptor() const { return descriptor_; }
  // What cannot be sent is lost: the next one says the same.
  void send(const Beat& beat);
  // The newest that has come meanwhile; false: none.
  bool receive(Beat& beat);

 private:
  int descriptor_;
  std::string begun_;  // bytes of a message that has not come whole
};

// On the first rank a line to each other one, in order of rank; on the others one to the first.
// Empty on all, and `obstacle` says why, where one rank cannot be reached. Collective.
std::vector<WatchLine> connect_ranks(const Control& control, std::string& obstacle);

}  // namespace kdbench
