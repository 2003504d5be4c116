// SPDX-License-Identifier: MIT
#include "suite/graph/stage_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "io/base/error.h"
#include "suite/results/run_record.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPause{200};

int open_lock(const std::string& file) {
  std::error_code error;
  fs::create_directories(fs::path(file).parent_path(), error);
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0)
    throw_machine_error(file, std::string("cannot be created: ") + std::strerror(errno),
                        "choose another --out");
  return descriptor;
}

bool means_no_locks(int reason) {
  return reason == ENOSYS || reason == EOPNOTSUPP || reason == ENOLCK;
}

void warn_of_missing_locks(const std::string& file) {
  static bool warned = false;
  if (warned) return;
  warned = true;
  const std::string text = "kdbench: warning: " + file +
                           ": this file system has no locks: jobs that run at the same time may do "
                           "the same work twice\n";
  std::fputs(text.c_str(), stderr);
}

std::string lock_file(const fs::path& out, const std::string& name) {
  return (out / ".stages" / "locks" / name).string();
}

// "host:pid", and since when.
LockHolder holder_of(int descriptor) {
  char text[320];
  const ssize_t size = ::pread(descriptor, text, sizeof text, 0);
  const std::string all(text, static_cast<size_t>(std::max<ssize_t>(size, 0)));
  const size_t line = std::min(all.find('\n'), all.size());
  return {all.empty() ? "another job" : all.substr(0, line),
          line < all.size() ? all.substr(line + 1) : ""};
}

}  // namespace

StageLock::StageLock(const Workspace& workspace, const std::string& name, const std::string& what,
                     std::string* busy)
    : file_(lock_file(workspace.out, name)) {
  const Control& control = workspace.control;
  control.on_root([&] { descriptor_ = open_lock(file_); });
  for (bool said = false;; said = true) {
    bool refused = false;
    control.on_root([&] { refused = !try_lock(workspace, what); });
    if (!control.any(refused)) return;
    if (busy) {
      *busy = control.broadcast(control.root() ? wanted(name, what) : "");
      return;
    }
    if (!said && control.root()) workspace.say("waiting for " + wanted(name, what));
    // Not in MPI, where waiting ranks would take the cores of those that work.
    std::this_thread::sleep_for(kPause);
  }
}

StageLock::~StageLock() {
  heartbeat_.reset();
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool StageLock::try_lock(const Workspace& workspace, const std::string& what) {
  for (bool again = false;; again = true) {
    if (!is_current(descriptor_, file_)) {
      ::close(descriptor_);
      descriptor_ = open_lock(file_);
    }
    if (!refuses()) {
      if (is_current(descriptor_, file_)) break;
      continue;  // replaced just now: what was locked is nobody's any more
    }
    if (again || !is_silent(descriptor_)) return false;
    workspace.say(
        fmt::format("{}: {}, which was at work on it, has been silent for {} s and counts "
                    "as gone (KDBENCH_LOCK_TIMEOUT)",
                    what, holder_of(descriptor_).who, lock_patience().count()));
    replace_file();
  }
  if (!held_) return true;  // no locks here
  const std::string me = this_process() + "\n" + utc_now();
  // For those who wait to say; a full disk must not matter here.
  [[maybe_unused]] const bool written =
      ::ftruncate(descriptor_, 0) == 0 && ::pwrite(descriptor_, me.data(), me.size(), 0) > 0;
  heartbeat_ = std::make_unique<Heartbeat>(descriptor_, file_);
  return true;
}

// Whether another job holds it; else this one does, where there are locks.
bool StageLock::refuses() {
  int refused = 0;
  do {
    refused = ::flock(descriptor_, LOCK_EX | LOCK_NB);
  } while (refused && errno == EINTR);
  held_ = refused == 0;
  if (held_) return false;
  if (errno == EWOULDBLOCK) return true;
  if (!means_no_locks(errno))
    throw_machine_error(file_, std::string("cannot be locked: ") + std::strerror(errno));
  warn_of_missing_locks(file_);
  return false;
}

// One at a time, so that nobody removes what another one has just made; and only while its holder
// is silent still: the lock may have become free, and somebody else's.
void StageLock::replace_file() {
  const int guard = open_lock((fs::path(file_).parent_path() / ".replacing").string());
  if (::flock(guard, LOCK_EX | LOCK_NB) == 0 && is_current(descriptor_, file_) && refuses() &&
      is_silent(descriptor_))
    ::unlink(file_.c_str());
  ::close(guard);
}

void look_anew(const fs::path& folder) {
  std::error_code not_there;
  const fs::directory_iterator listing(folder, not_there);
}

std::string StageLock::wanted(const std::string& name, const std::string& what) const {
  return fmt::format("{} ({}), being made by {}", what, name, holder_of(descriptor_).who);
}

std::optional<LockHolder> lock_holder(const fs::path& out, const std::string& name) {
  const int descriptor = ::open(lock_file(out, name).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  std::optional<LockHolder> found;
  struct stat status {};
  // A shared try disturbs nobody for longer than this call; who holds the lock wrote its name then.
  if (::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK &&
      ::fstat(descriptor, &status) == 0 && !is_silent(descriptor)) {
    found = holder_of(descriptor);
    if (found->since.empty()) found->since = utc_time(status.st_mtime);
  }
  ::close(descriptor);
  return found;
}

}  // namespace kdbench
