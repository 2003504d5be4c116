// SPDX-License-Identifier: MIT
// What this rank does, in words, for the messages of places that do not know it: errors of MPI,
// also those within a library, and of a thread that watches. Takes no memory.
#pragma once

#include <cstdint>
#include <cstdio>
#include <mutex>

namespace kdbench {

class Doing {
 public:
  // For the main thread. `words` must outlive this object. Within another Doing it hides that one.
  explicit Doing(const char* words) : before_(words_) { set(words); }
  ~Doing() { set(before_); }
  Doing(const Doing&) = delete;
  Doing& operator=(const Doing&) = delete;

  // Of the innermost object that lives; "" if there is none.
  static const char* now() { return words_; }

  // The same as another thread sees it.
  struct Seen {
    char words[64] = "";
    const char* awaits = nullptr;  // the call in which the other ranks are waited for
    uint64_t changes = 0;          // grows with each Doing and Awaiting that begins or ends
  };
  static Seen seen() {
    const std::lock_guard lock(mutex_);
    Seen seen;
    std::snprintf(seen.words, sizeof seen.words, "%s", words_);
    seen.awaits = awaits_;
    seen.changes = changes_;
    return seen;
  }

 private:
  friend class Awaiting;
  static void set(const char* words) {
    const std::lock_guard lock(mutex_);
    words_ = words;
    ++changes_;
  }
  static void await(const char* call) {
    const std::lock_guard lock(mutex_);
    awaits_ = call;
    ++changes_;
  }

  static inline std::mutex mutex_;
  static inline const char* words_ = "";
  static inline const char* awaits_ = nullptr;
  static inline uint64_t changes_ = 0;
  const char* const before_;
};

// Around a call, of the main thread, that ends only when the other ranks have come to it.
class Awaiting {
 public:
  explicit Awaiting(const char* call) { Doing::await(call); }
  ~Awaiting() { Doing::await(nullptr); }
  Awaiting(const Awaiting&) = delete;
  Awaiting& operator=(const Awaiting&) = delete;
};

}  // namespace kdbench
