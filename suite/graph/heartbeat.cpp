// SPDX-License-Identifier: MIT
#include "suite/graph/heartbeat.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <tuple>
#include <utility>

#include "io/base/end_job.h"
#include "io/base/error.h"

namespace kdbench {
namespace {

constexpr std::chrono::seconds kPatience{300};
constexpr std::chrono::milliseconds kMostInterval{20000};
constexpr int kBeatsInPatience = 5;

// A file that is gone is nobody's yet: with its folder, perhaps.
bool is_another(int descriptor, const std::string& file) {
  struct stat there {};
  return ::stat(file.c_str(), &there) == 0 && !is_current(descriptor, file);
}

}  // namespace

std::chrono::seconds lock_patience() {
  const char* text = std::getenv("KDBENCH_LOCK_TIMEOUT");
  if (!text) return kPatience;
  char* end = nullptr;
  const long seconds = std::strtol(text, &end, 10);
  if (end == text || *end != '\0' || seconds < 1)
    throw_user_error("KDBENCH_LOCK_TIMEOUT", std::string("expected seconds, found ") + text);
  return std::chrono::seconds(seconds);
}

Heartbeat::Heartbeat(int descriptor, std::string file)
    : descriptor_(descriptor),
      file_(std::move(file)),
      interval_(std::min<std::chrono::milliseconds>(
          kMostInterval, std::chrono::milliseconds(lock_patience()) / kBeatsInPatience)),
      thread_([this] { beat(); }) {}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Heartbeat::beat() {
  std::unique_lock lock(mutex_);
  while (!over_) {
    ::futimens(descriptor_, nullptr);
    if (is_another(descriptor_, file_)) {
      end_job(file_.c_str(),
              "this job was silent for so long that another one has taken over its work "
              "(KDBENCH_LOCK_TIMEOUT)");
    }
    changed_.wait_for(lock, interval_, [this] { return over_; });
  }
}

bool is_current(int descriptor, const std::string& file) {
  struct stat own {
  }, there{};
  return ::fstat(descriptor, &own) == 0 && ::stat(file.c_str(), &there) == 0 &&
         own.st_ino == there.st_ino && own.st_dev == there.st_dev;
}

bool is_silent(int descriptor) {
  using Clock = std::chrono::steady_clock;
  using Touched = std::pair<time_t, long>;
  struct Looks {
    Touched touched;
    Clock::time_point first, last;
  };
  static std::map<std::pair<dev_t, ino_t>, Looks> seen;
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return false;
  const Touched touched{status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
  const auto now = Clock::now();
  const auto [entry, is_new] =
      seen.try_emplace({status.st_dev, status.st_ino}, Looks{touched, now, now});
  Looks& looks = entry->second;
  // Whoever has not looked for long may have been stopped together with the holder.
  const bool away = now - looks.last > std::chrono::milliseconds(lock_patience()) / 2;
  if (is_new || away || looks.touched != touched) {
    looks = {touched, now, now};
    return false;
  }
  looks.last = now;
  return now - looks.first > lock_patience();
}

}  // namespace kdbench
