// SPDX-License-Identifier: MIT
// What a person sees while training runs: on a terminal one line that is rewritten (loss,
// samples/s, time left), elsewhere a line an epoch, and one a minute. Root rank only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
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

// The same while a model runs over rows without learning: evaluation, prediction, the outputs of a
// teacher. Most of that is over at once: nothing is shown before it has taken some seconds.
class PassProgress {
 public:
  // `title`: "MRPC kd seed 2, predicting test". `rows`: of all ranks together. `quiet`: nothing is
  // shown before (absent: a little longer where lines stay).
  PassProgress(std::string title, int64_t rows, int ranks, Log& log, bool active,
               std::optional<std::chrono::milliseconds> quiet = std::nullopt);

  // This rank has done so many more.
  void seen(int64_t rows);

 private:
  using Clock = std::chrono::steady_clock;

  std::string title_;
  double rows_, ranks_;
  Log& log_;
  bool active_ = false;
  double done_ = 0.0;  // of all ranks, about
  Clock::time_point start_, next_;
};

// Called with the rows of each forward pass; may be empty.
using RowsSeen = std::function<void(int64_t)>;

// "3 s", "2 min 05 s", "1 h 02 min".
std::string duration_text(double seconds);

}  // namespace kdbench
