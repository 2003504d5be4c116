// SPDX-License-Identifier: MIT
#include "suite/ranks/watchdog.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "io/base/doing.h"
#include "io/base/end_job.h"
#include "io/base/host_name.h"

namespace kdbench {
namespace {

// When the first rank is silent, the next one speaks, then the one after it.
constexpr std::chrono::milliseconds kTurn{500};

constexpr std::chrono::seconds kMostSilence{120};

Beat own_beat() {
  const Doing::Seen seen = Doing::seen();
  Beat beat;
  beat.changes = seen.changes;
  std::snprintf(beat.words, sizeof beat.words, "%s", seen.words);
  std::snprintf(beat.awaits, sizeof beat.awaits, "%s", seen.awaits ? seen.awaits : "");
  return beat;
}

bool awaits(const Beat& beat) { return *beat.awaits != '\0'; }

std::string place_of(const Beat& beat) {
  const std::string words = *beat.words ? beat.words : "its own work";
  return awaits(beat) ? fmt::format("{}: {}", words, beat.awaits) : words;
}

[[noreturn]] void end_for(const std::string& message) {
  end_job(message.c_str(), ExitCode::kMachine);
}

}  // namespace

Watchdog::Watchdog(const Control& control, std::chrono::seconds patience)
    : patience_(patience),
      silence_(std::min(patience, kMostSilence)),
      rank_(control.rank()),
      size_(control.size()) {
  if (size_ == 1 || patience.count() == 0) return;
  hosts_ = control.gather(host_name());
  lines_ = connect_ranks(control, obstacle_);
  if (lines_.empty()) return;
  const auto now = Clock::now();
  if (rank_ == 0) watched_.push_back({0, {}, now, now, nullptr});
  for (size_t i = 0; i < lines_.size(); ++i)
    watched_.push_back({rank_ == 0 ? static_cast<int>(i) + 1 : 0, {}, now, now, &lines_[i]});
  thread_ = std::thread([this] { watch(); });
}

Watchdog::~Watchdog() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_one();
  thread_.join();
  Beat last = own_beat();
  last.over = 1;
  for (auto& line : lines_) line.send(last);
}

void Watchdog::watch() {
  const auto tick =
      std::min<Clock::duration>(std::chrono::seconds(1), Clock::duration(silence_) / 8);
  std::unique_lock lock(mutex_);
  for (auto before = Clock::now(); !over_; changed_.wait_for(lock, tick)) {
    const auto now = Clock::now();
    // This process itself did not run, for instance as the whole job was stopped for a while.
    if (now - before > silence_ / 2) {
      for (auto& watched : watched_) watched.heard = watched.changed = now;
    }
    before = now;
    exchange(now);
    look(now);
  }
}

void Watchdog::exchange(Clock::time_point now) {
  const Beat own = own_beat();
  for (auto& line : lines_) line.send(own);
  for (auto& watched : watched_) {
    Beat beat = own;
    if (watched.line && !watched.line->receive(beat)) continue;
    watched.heard = now;
    if (beat.changes != watched.last.changes) watched.changed = now;
    watched.last = beat;
  }
}

void Watchdog::look(Clock::time_point now) const {
  for (const auto& watched : watched_) {
    const auto silence = silence_ + (rank_ == 0 ? 0 : rank_ - 1) * kTurn;
    if (watched.last.over || now - watched.heard <= silence) continue;
    end_for(
        fmt::format("{} gives no sign of life for {:.0f} s (stopped, or cut off?); it was at {}",
                    name(watched), seconds(now - watched.heard), place_of(watched.last)));
  }
  if (rank_ == 0) look_for_absent(now);
}

// Whom others wait for. Also all may wait, for each other.
void Watchdog::look_for_absent(Clock::time_point now) const {
  const auto stands = [&](const Watched& watched) {
    return !watched.last.over && now - watched.changed > patience_;
  };
  const auto waiting = std::find_if(watched_.begin(), watched_.end(), [&](const Watched& watched) {
    return stands(watched) && awaits(watched.last);
  });
  if (waiting == watched_.end()) return;
  const auto absent = std::find_if(watched_.begin(), watched_.end(), [&](const Watched& watched) {
    return stands(watched) && !awaits(watched.last);
  });
  if (absent != watched_.end()) {
    end_for(fmt::format("{} is at {} for {:.0f} s while {} waits for it in {}", name(*absent),
                        place_of(absent->last), seconds(now - absent->changed), name(*waiting),
                        place_of(waiting->last)));
  }
  if (!std::all_of(watched_.begin(), watched_.end(), stands)) return;
  std::string all;
  for (const auto& watched : watched_)
    all +=
        fmt::format("{}{} in {}", all.empty() ? "" : ", ", name(watched), place_of(watched.last));
  end_for("all ranks wait in vain: " + all);
}

double Watchdog::seconds(Clock::duration time) const {
  return std::chrono::duration<double>(time).count();
}

std::string Watchdog::name(const Watched& watched) const {
  return fmt::format("rank {} of {} on {}", watched.rank, size_,
                     hosts_[static_cast<size_t>(watched.rank)]);
}

}  // namespace kdbench
