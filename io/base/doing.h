// SPDX-License-Identifier: MIT
// What this rank does, in words, for the messages of places that do not know it: errors of MPI,
// also those within a library. Takes no memory.
#pragma once

namespace kdbench {

class Doing {
 public:
  // `words` must outlive this object. Within another Doing it hides that one.
  explicit Doing(const char* words) : before_(words_) { words_ = words; }
  ~Doing() { words_ = before_; }
  Doing(const Doing&) = delete;
  Doing& operator=(const Doing&) = delete;

  // Of the innermost object that lives; "" if there is none.
  static const char* now() { return words_; }

 private:
  static inline const char* words_ = "";
  const char* const before_;
};

}  // namespace kdbench
