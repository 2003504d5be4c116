// SPDX-License-Identifier: MIT
// What a person is told while the program works, on stderr and, if asked for, in a file; stdout
// stays free for results. Nothing here throws: who closes stderr still gets the results.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace spdlog {
class logger;
}

namespace kdbench {

class Log {
 public:
  // stderr alone.
  Log() : Log(false, {}) {}
  // `quiet`: nothing on stderr. `file`: where lines go too, at its end; "": nowhere. Throws a user
  // error when it cannot be opened.
  Log(bool quiet, const std::filesystem::path& file);
  ~Log();

  // One line. In a file, and where stderr is no terminal, the time stands before it.
  void line(const std::string& text);
  // On a terminal only: takes the place of the last text, and stays until the next line.
  void rewrite(const std::string& text);
  bool rewrites() const { return terminal_; }

 private:
  std::shared_ptr<spdlog::logger> lines_;
  bool terminal_ = false, open_ = false;  // open: a rewritten text stands in the last line
};

}  // namespace kdbench
