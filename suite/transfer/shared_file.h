// SPDX-License-Identifier: MIT
// A file that ranks write in turn, in their order, by the hand of the root.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "io/base/partial_file.h"
#include "suite/ranks/control.h"

namespace kdbench {

// All functions are collective, and throw the user errors of the file on every rank.
class SharedFile {
 public:
  // <path>.partial until commit(). The folder must be there. `kept`: see PartialFile; the root's
  // counts.
  SharedFile(const std::filesystem::path& path, const Control& control, int64_t kept = 0);
  // What all ranks have, one behind the other.
  void append(const std::string& mine);
  // Bytes so far, which outlive the process when this returns. Of the root; not collective.
  int64_t flushed();
  void commit();

 private:
  std::string gathered(const std::string& mine) const;

  const Control& control_;
  std::unique_ptr<PartialFile> file_;  // of the root
  int64_t bytes_ = 0;
};

}  // namespace kdbench
