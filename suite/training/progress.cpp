// SPDX-License-Identifier: MIT
#include "suite/training/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kdbench {
namespace {

constexpr std::chrono::milliseconds kTerminalInterval{100};
constexpr std::chrono::minutes kPlainInterval{1};
constexpr double kSmoothing = 0.9;
// Of a pass over rows.
constexpr std::chrono::seconds kQuietOnTerminal{2}, kQuietElsewhere{10};

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(std::max(0.0, seconds)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

Progress::Progress(std::string title, Log& log, bool active)
    : title_(std::move(title)), log_(log), active_(active), start_(Clock::now()), shown_(start_) {}

void Progress::step(int64_t done_steps, int64_t all_steps, double loss, int64_t samples) {
  if (!active_) return;
  const bool first = first_step_ < 0;
  if (first) first_step_ = done_steps - 1;
  loss_ = first ? loss : kSmoothing * loss_ + (1 - kSmoothing) * loss;
  done_ = done_steps;
  all_ = all_steps;
  samples_ += samples;
  if (!due()) return;
  shown_ = Clock::now();
  const std::string line =
      fmt::format("{}: {:3}%  {}", title_, done_ * 100 / std::max<int64_t>(1, all_), state());
  log_.rewrites() ? log_.rewrite(line) : log_.line(line);
}

bool Progress::due() const {
  if (log_.rewrites()) return done_ >= all_ || Clock::now() - shown_ >= kTerminalInterval;
  return Clock::now() - shown_ >= kPlainInterval;
}

std::string Progress::state() const {
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  const auto seen = static_cast<double>(std::max<int64_t>(1, done_ - first_step_));
  const double left = elapsed / seen * static_cast<double>(all_ - done_);
  const double rate = elapsed > 0 ? static_cast<double>(samples_) / elapsed : 0.0;
  return fmt::format("step {}/{}  loss {:.4f}  {:.1f} samples/s  {} left", done_, all_, loss_, rate,
                     duration_text(left));
}

PassProgress::PassProgress(std::string title, int64_t rows, int ranks, Log& log, bool active,
                           std::optional<std::chrono::milliseconds> quiet)
    : title_(std::move(title)),
      rows_(static_cast<double>(rows)),
      ranks_(ranks),
      log_(log),
      active_(active),
      start_(Clock::now()) {
  next_ = start_ + quiet.value_or(log.rewrites() ? kQuietOnTerminal : kQuietElsewhere);
}

void PassProgress::seen(int64_t rows) {
  if (!active_) return;
  // The other ranks, which nobody asks, are about as far.
  done_ = std::min(rows_, done_ + ranks_ * static_cast<double>(rows));
  const auto now = Clock::now();
  if (now < next_ || done_ <= 0.0) return;
  if (log_.rewrites()) {
    next_ = now + kTerminalInterval;
  } else {
    next_ = now + kPlainInterval;
  }
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double rate = elapsed > 0 ? done_ / elapsed : 0.0;
  const double left = elapsed / done_ * (rows_ - done_);
  const std::string line = fmt::format("{}: {:3.0f}%  {:.1f} samples/s  {} left", title_,
                                       100.0 * done_ / rows_, rate, duration_text(left));
  log_.rewrites() ? log_.rewrite(line) : log_.line(line);
}

void Progress::note(const std::string& text) {
  if (!active_) return;
  const bool with_state = !log_.rewrites() && all_ > 0;
  log_.line(fmt::format("{}: {}{}", title_, text, with_state ? "  " + state() : ""));
}

}  // namespace kdbench
