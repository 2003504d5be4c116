// SPDX-License-Identifier: MIT
// Ranks that watch each other: one that is stopped or cut off, and one that never comes to what the
// others wait for, ends the job with one message that names it, its host and what it was at. Beside
// the work: a thread, and connections of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "suite/ranks/control.h"
#include "suite/ranks/watch_lines.h"

namespace kdbench {

class Watchdog {
 public:
  // `patience`: how long others may wait for a rank that does not change what it is at (Doing); no
  // longer, and two minutes at most, it may give no sign of life. 0: nobody watches. Collective.
  Watchdog(const Control& control, std::chrono::seconds patience);
  // Local: this rank is done, and nobody minds.
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // Why nobody watches though somebody should; "": no reason.
  const std::string& obstacle() const { return obstacle_; }

 private:
  using Clock = std::chrono::steady_clock;
  // What is known of a rank.
  struct Watched {
    int rank = 0;
    Beat last;
    Clock::time_point heard, changed;
    WatchLine* line = nullptr;  // null: this rank itself
  };
  void watch();
  void exchange(Clock::time_point now);
  void look(Clock::time_point now) const;
  void look_for_absent(Clock::time_point now) const;
  double seconds(Clock::duration time) const;
  std::string name(const Watched& watched) const;

  const std::chrono::seconds patience_, silence_;
  int rank_, size_;
  std::vector<std::string> hosts_;  // by rank
  std::string obstacle_;
  std::vector<WatchLine> lines_;
  std::vector<Watched> watched_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace kdbench
