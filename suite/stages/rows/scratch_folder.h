// SPDX-License-Identifier: MIT
// A temporary folder that ends with its owner: for a plan, which leaves nothing.
#pragma once

#include <filesystem>

namespace kdbench {

class ScratchFolder {
 public:
  // Throws a machine error.
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace kdbench
