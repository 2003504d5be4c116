// SPDX-License-Identifier: MIT
// What a person sees while training runs: on a terminal one line that is rewritten (loss,
// samples/s, time left), elsewhere a plain line at intervals. Root rank only; stdout stays free for
// results, progress goes to stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace kdbench {

class Progress {
 public:
  // `title`: "MRPC kd seed 2". `active`: this rank shows it.
  Progress(std::string title, bool active);
  ~Progress();  // ends the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // After a step: `done_steps` of `all_steps`; `samples` rows in this one.
  void step(int64_t done_steps, int64_t all_steps, double loss, int64_t samples);
  // A line of its own (an evaluation, a finished stage).
  void note(const std::string& text);

 private:
  using Clock = std::chrono::steady_clock;
  bool due(int64_t done_steps, int64_t all_steps) const;
  void show(const std::string& line);

  std::string title_;
  bool active_ = false, terminal_ = false, open_line_ = false;
  int64_t first_step_ = -1;  // steps that were done before this object saw any (a continued run)
  int64_t samples_ = 0;
  double loss_ = 0.0;         // smoothed
  int64_t shown_tenth_ = -1;  // of the steps
  Clock::time_point start_, shown_;
};

// "3 s", "2 min 05 s", "1 h 02 min".
std::string duration_text(double seconds);

}  // namespace kdbench
