// SPDX-License-Identifier: MIT
// What the fuzz targets share: a folder whose files hold libFuzzer's input, and what a reader may
// do with them: read, or refuse with a user error. Any other exception, a crash, a hang or memory
// that a small file cannot be worth is a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/error.h"
#include "tests/support/temp_folder.h"

namespace kdbench::fuzz {

class FuzzFolder : public testing::TempFolder {
 public:
  // Inputs become `files`: each gets what stands up to the next zero byte, the last one all
  // the rest.
  explicit FuzzFolder(std::vector<std::string> files) : files_(std::move(files)) {}

  // What a target's LLVMFuzzerTestOneInput does.
  int run(const uint8_t* data, size_t size, const std::function<void()>& read) const {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    for (size_t file = 0; file < files_.size(); ++file) {
      const size_t end = file + 1 < files_.size() ? rest.find('\0') : std::string_view::npos;
      write(files_[file], std::string(rest.substr(0, end)));
      rest.remove_prefix(end < rest.size() ? end + 1 : rest.size());
    }
    try {
      read();
    } catch (const Error& error) {
      if (error.code() != ExitCode::kUserInput) fail(error.what());
    }
    return 0;
  }

 private:
  [[noreturn]] static void fail(const char* what) {
    std::cerr << "an error that blames no input: " << what << "\n";
    std::abort();
  }

  std::vector<std::string> files_;
};

}  // namespace kdbench::fuzz
