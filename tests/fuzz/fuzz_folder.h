// SPDX-License-Identifier: MIT
// What the fuzz targets share: what a reader may do with libFuzzer's input: read, or refuse with a
// user error. Any other exception, a crash, a hang or memory that a small file cannot be worth is a
// finding. And a folder whose files hold the input, for readers that take no text.
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

// What a target's LLVMFuzzerTestOneInput does.
template <typename Read>
int reads_or_refuses(const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    if (error.code() == ExitCode::kUserInput) return 0;
    std::cerr << "an error that blames no input: " << error.what() << "\n";
    std::abort();
  }
  return 0;
}

inline std::string_view text_of_input(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Cuts off what stands up to the next zero byte.
inline std::string_view take_part(std::string_view& rest) {
  const size_t end = rest.find('\0');
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end < rest.size() ? end + 1 : rest.size());
  return part;
}

class FuzzFolder : public testing::TempFolder {
 public:
  // Inputs become `files`: each gets one part, the last one all the rest.
  explicit FuzzFolder(std::vector<std::string> files) : files_(std::move(files)) {
    for (const auto& file : files_) write(file, "");  // with the folders on the way
  }

  template <typename Read>
  int run(const uint8_t* data, size_t size, const Read& read) const {
    std::string_view rest = text_of_input(data, size);
    for (const auto& file : files_) put(file, &file == &files_.back() ? rest : take_part(rest));
    return reads_or_refuses(read);
  }

 private:
  void put(const std::string& file, std::string_view content) const {
    std::ofstream(*this / file, std::ios::binary) << content;
  }

  std::vector<std::string> files_;
};

}  // namespace kdbench::fuzz
