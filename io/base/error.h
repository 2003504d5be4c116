// SPDX-License-Identifier: MIT
// The one exception type of the suite, and the list in which user mistakes are collected so that
// all of them are reported at once, before any work starts.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace kdbench {

// The process's exit codes (README, "Exit codes").
enum class ExitCode : int {
  kDone = 0,
  kRunFailed = 1,
  kUserInput = 2,
  kMachine = 3,
  kStopped = 75
};

// What went wrong, where, and what to do about it. what() is "where: what (hint)".
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, std::string where, std::string what, std::string hint = "");

  ExitCode code() const { return code_; }
  const std::string& where() const { return where_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }

  // True when every rank threw this same error (see agree in collective.h): it is then printed once
  // and all ranks leave by themselves; any other error ends the job (end_job).
  bool on_every_rank = false;

 private:
  ExitCode code_;
  std::string where_, message_, hint_;
};

// The user's input is wrong: a file, a key, a flag. `where` is "file:line", a key or a flag.
[[noreturn]] void throw_user_error(std::string where, std::string what, std::string hint = "");
// The disk, the machine or a library failed.
[[noreturn]] void throw_machine_error(std::string where, std::string what, std::string hint = "");

// Collects user mistakes. Messages keep the order in which they were found.
class Problems {
 public:
  void add(std::string where, std::string what, std::string hint = "");
  // Runs `f` and takes over the user error that it throws, if any; other errors pass through.
  template <typename F>
  void collect(F&& f) {
    try {
      f();
    } catch (const Error& error) {
      if (error.code() != ExitCode::kUserInput) throw;
      add(error.where(), error.message(), error.hint());
    }
  }
  bool empty() const { return lines_.empty(); }
  const std::vector<std::string>& lines() const { return lines_; }
  // Throws one user error that lists everything, one problem a line, unless there is none.
  void throw_if_any(const std::string& where) const;

 private:
  std::vector<std::string> lines_;
};

// The same with each line once: what several parts of an experiment share is found for each of
// them.
void throw_each_once(const Problems& problems, const std::string& where);

// The name in `known` nearest to `word` (edit distance at most 1/2 of the word), or "" if none is
// near.
std::string nearest_name(const std::string& word, const std::vector<std::string>& known);
// "did you mean 'x'?" of the nearest name, or `otherwise` if none is near.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& known,
                         const std::string& otherwise = "");
// A user error: `word` is no `what` of those that are known.
[[noreturn]] void throw_unknown(const std::string& what, const std::string& word,
                                const std::vector<std::string>& known);

}  // namespace kdbench
