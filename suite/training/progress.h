// SPDX-License-Identifier: MIT
// What a person sees while training runs: on a terminal one line that is rewritten (loss,
// samples/s, time left), elsewhere a line an epoch, and one a minute. Root rank only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "suite/ranks/log.h"

namespace kdbench {

class Progress {
 public:
  // `title`: "MRPC kd seed 2". `active`: this rank shows it.
  Progress(std::string title, Log& log, bool active);

  // After a step: `done_steps` of `all_steps`; `samples` rows in this one.
  void step(int64_t done_steps, int64_t all_steps, double loss, int64_t samples);
  // A line of its own: what an evaluation found.
  void note(const std::string& text);

 private:
  using Clock = std::chrono::steady_clock;
  bool due() const;
  // "step 20/80  loss 0.4821  68.9 samples/s  2 min 05 s left"
  std::string state() const;

  std::string title_;
  Log& log_;
  bool active_ = false;
  int64_t first_step_ = -1;     // steps that were done before this object saw any (a continued run)
  int64_t done_ = 0, all_ = 0;  // steps
  int64_t samples_ = 0;
  double loss_ = 0.0;  // smoothed
  Clock::time_point start_, shown_;
};

// "3 s", "2 min 05 s", "1 h 02 min".
std::string duration_text(double seconds);

}  // namespace kdbench
