// SPDX-License-Identifier: MIT
// A file that ranks write in turn, in their order, by the hand of the root.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "io/base/partial_file.h"
#include "suite/ranks/control.h"

namespace kdbench {

// All functions are collective, and throw the user errors of the file on every rank.
class SharedFile {
 public:
  // <path>.partial until commit(). The folder must be there.
  SharedFile(const std::filesystem::path& path, const Control& control);
  // What all ranks have, one behind the other.
  void append(const std::string& mine);
  void commit();

 private:
  std::string gathered(const std::string& mine) const;

  const Control& control_;
  std::unique_ptr<PartialFile> file_;  // of the root
};

}  // namespace kdbench
