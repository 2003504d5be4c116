// SPDX-License-Identifier: MIT
#include "suite/training/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace kdbench {
namespace {

constexpr std::chrono::milliseconds kTerminalInterval{100};
constexpr std::chrono::seconds kPlainInterval{10};
constexpr double kSmoothing = 0.9;

size_t terminal_width() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(std::max(0.0, seconds)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

Progress::Progress(std::string title, bool active)
    : title_(std::move(title)),
      active_(active),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(Clock::now()) {}

Progress::~Progress() {
  if (open_line_) std::fputs("\n", stderr);
}

void Progress::step(int64_t done_steps, int64_t all_steps, double loss, int64_t samples) {
  if (!active_) return;
  const bool first = first_step_ < 0;
  if (first) first_step_ = done_steps - 1;
  loss_ = first ? loss : kSmoothing * loss_ + (1 - kSmoothing) * loss;
  samples_ += samples;
  if (!due(done_steps, all_steps)) return;

  const Clock::time_point now = Clock::now();
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const auto seen = static_cast<double>(std::max<int64_t>(1, done_steps - first_step_));
  const double left = elapsed / seen * static_cast<double>(all_steps - done_steps);
  const double rate = elapsed > 0 ? static_cast<double>(samples_) / elapsed : 0.0;
  shown_ = now;
  shown_tenth_ = done_steps * 10 / std::max<int64_t>(1, all_steps);
  show(fmt::format("{}: {:3}%  step {}/{}  loss {:.4f}  {:.1f} samples/s  {} left", title_,
                   done_steps * 100 / std::max<int64_t>(1, all_steps), done_steps, all_steps, loss_,
                   rate, duration_text(left)));
}

bool Progress::due(int64_t done_steps, int64_t all_steps) const {
  const auto since = Clock::now() - shown_;
  if (done_steps >= all_steps) return true;
  if (terminal_) return since >= kTerminalInterval;
  if (shown_tenth_ < 0) return true;  // the first line tells that it runs
  const bool next_tenth = done_steps * 10 / std::max<int64_t>(1, all_steps) > shown_tenth_;
  return next_tenth || since >= kPlainInterval;
}

void Progress::show(const std::string& line) {
  if (!terminal_) {
    fmt::print(stderr, "{}\n", line);
    return;
  }
  fmt::print(stderr, "\r{}\x1b[K", line.substr(0, terminal_width() - 1));
  std::fflush(stderr);
  open_line_ = true;
}

void Progress::note(const std::string& text) {
  if (!active_) return;
  fmt::print(stderr, "{}{}\n", open_line_ ? "\r\x1b[K" : "", text);
  open_line_ = false;
}

}  // namespace kdbench
