// SPDX-License-Identifier: MIT
// Whether the holder of a lock lives: while it does it touches the lock's file. A host that is gone
// cannot, while a file server may hold its locks for long.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace kdbench {

// How long a lock's file may stay untouched until its holder counts as gone:
// KDBENCH_LOCK_TIMEOUT seconds, 300 by default. Throws a user error.
std::chrono::seconds lock_patience();

// Touches the file behind `descriptor` from a thread of its own while it lives. Ends the job where
// `file` has become another one: it was taken for gone (a host that slept), and its work is done by
// others now.
class Heartbeat {
 public:
  Heartbeat(int descriptor, std::string file);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

 private:
  void beat();

  const int descriptor_;
  const std::string file_;
  const std::chrono::milliseconds interval_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

// Whether `file` still is what `descriptor` was opened as. Local.
bool is_current(int descriptor, const std::string& file);

// Whether the file has been looked at for longer than the patience, by this process, without being
// touched. No clock of another host is asked. Of one thread alone.
bool is_silent(int descriptor);

}  // namespace kdbench
