// SPDX-License-Identifier: MIT
// Files that somebody's disk, editor or ill will has changed: a small valid file, mutated again and
// again from a fixed seed. A reader must answer each with a result or a user error that names it.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>

#include "io/base/error.h"

namespace kdbench::testing {

// One to four changes: a flipped bit, another byte, a piece lost, doubled or overwritten, a cut.
inline std::string mutated(std::string bytes, std::mt19937_64& random) {
  const auto below = [&](size_t n) {
    return static_cast<size_t>(random() % std::max<size_t>(n, 1));
  };
  constexpr char kTelling[] = "\0\xFF\x80\"{}[]:,0-9.e\t\n\r =";
  for (size_t change = 0, changes = 1 + below(4); change < changes && !bytes.empty(); ++change) {
    const size_t at = below(bytes.size()),
                 length = 1 + below(std::min<size_t>(bytes.size() - at, 16));
    switch (below(7)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        bytes[at] = kTelling[below(sizeof kTelling)];
        break;
      case 2:
        bytes.erase(at, length);
        break;
      case 3:
        bytes.insert(at, bytes.substr(at, length));
        break;
      case 4:
        bytes.replace(at, length, std::string(length, static_cast<char>(random())));
        break;
      case 5:
        bytes.insert(at, std::to_string(random()));
        break;
      default:
        bytes.resize(at);
    }
  }
  return bytes;
}

inline int64_t peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss >> 10;
}

// Writes `rounds` mutations of `original` to `file` and lets `read` have each. Some must be refused
// (or the reader checks nothing), none may end in another exception, and none may take memory that
// a small file cannot be worth. `file` holds the original again at the end.
inline void expect_reads_or_refuses(const std::string& original, const std::filesystem::path& file,
                                    int rounds, const std::function<void()>& read) {
  const auto write = [&](const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
  };
  std::mt19937_64 random(2024);
  const int64_t megabytes = peak_megabytes();
  int refused = 0;
  for (int round = 0; round < rounds; ++round) {
    write(mutated(original, random));
    try {
      read();
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(error.code(), ExitCode::kUserInput) << "round " << round << ": " << error.what();
    } catch (const std::exception& error) {
      ADD_FAILURE() << "round " << round << " of " << file << ": " << error.what();
    }
  }
  write(original);
  EXPECT_GT(refused, 0) << file;
#ifdef KDBENCH_SANITIZE  // which keeps what was freed for a while
  constexpr int64_t kAllowed = 1024;
#else
  constexpr int64_t kAllowed = 128;
#endif
  EXPECT_LT(peak_megabytes() - megabytes, kAllowed) << file;
}

}  // namespace kdbench::testing
