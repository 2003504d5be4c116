// SPDX-License-Identifier: MIT
#include "suite/graph/stage_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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

// The file stays for ever: removing it would let one job lock the removed file and another a new
// one.
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

std::string holder_of(int descriptor) {
  char text[320];
  const ssize_t size = ::pread(descriptor, text, sizeof text, 0);
  return size > 0 ? std::string(text, static_cast<size_t>(size)) : "another job";
}

}  // namespace

StageLock::StageLock(const Workspace& workspace, const std::string& name, const std::string& what)
    : file_(lock_file(workspace.out, name)) {
  const Control& control = workspace.control;
  control.on_root([&] { descriptor_ = open_lock(file_); });
  for (bool said = false;; said = true) {
    bool busy = false;
    control.on_root([&] { busy = !try_lock(); });
    if (!control.any(busy)) return;
    if (!said && control.root())
      workspace.say(fmt::format("waiting for {} ({}), being made by {}", what, name, holder()));
    // Not in MPI, where waiting ranks would take the cores of those that work.
    std::this_thread::sleep_for(kPause);
  }
}

StageLock::~StageLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool StageLock::try_lock() {
  int refused = 0;
  do {
    refused = ::flock(descriptor_, LOCK_EX | LOCK_NB);
  } while (refused && errno == EINTR);
  if (!refused) {
    held_ = true;
    const std::string me = this_process();
    // For those who wait to say; a full disk must not matter here.
    [[maybe_unused]] const bool written =
        ::ftruncate(descriptor_, 0) == 0 && ::pwrite(descriptor_, me.data(), me.size(), 0) > 0;
    return true;
  }
  if (errno == EWOULDBLOCK) return false;
  if (!means_no_locks(errno))
    throw_machine_error(file_, std::string("cannot be locked: ") + std::strerror(errno));
  warn_of_missing_locks(file_);
  return true;
}

void look_anew(const fs::path& folder) {
  std::error_code not_there;
  const fs::directory_iterator listing(folder, not_there);
}

std::string StageLock::holder() const { return holder_of(descriptor_); }

std::optional<LockHolder> lock_holder(const fs::path& out, const std::string& name) {
  const int descriptor = ::open(lock_file(out, name).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  std::optional<LockHolder> found;
  struct stat status {};
  // A shared try disturbs nobody for longer than this call; who holds the lock wrote its name then.
  if (::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK &&
      ::fstat(descriptor, &status) == 0) {
    found = {holder_of(descriptor), utc_time(status.st_mtime)};
  }
  ::close(descriptor);
  return found;
}

}  // namespace kdbench
