// SPDX-License-Identifier: MIT
// A temporary folder that all ranks of a test share, and errors as text.
#pragma once

#include <gtest/gtest.h>
#include <mpi.h>
#include <stdlib.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "io/base/error.h"

namespace kdbench::testing {

// Construction and destruction are collective over all ranks.
class RankFolder {
 public:
  RankFolder() {
    std::array<char, 4096> name{};
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (rank == 0) {
      const auto pattern =
          (std::filesystem::temp_directory_path() / "kdbench-test-XXXXXX").string();
      std::memcpy(name.data(), pattern.c_str(), pattern.size());
      if (!mkdtemp(name.data())) name[0] = '\0';
    }
    MPI_Bcast(name.data(), static_cast<int>(name.size()), MPI_CHAR, 0, MPI_COMM_WORLD);
    path = name.data();
  }
  ~RankFolder() {
    MPI_Barrier(MPI_COMM_WORLD);
    std::error_code ignored;
    if (rank == 0) std::filesystem::remove_all(path, ignored);
  }
  RankFolder(const RankFolder&) = delete;
  RankFolder& operator=(const RankFolder&) = delete;

  // A file made by rank 0, there for all ranks on return.
  std::filesystem::path make(const std::string& name,
                             const std::function<void(const std::filesystem::path&)>& f) const {
    if (rank == 0) f(path / name);
    MPI_Barrier(MPI_COMM_WORLD);
    return path / name;
  }

  std::filesystem::path path;
  int rank = 0;
  int ranks = 1;
};

inline std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// The text of the error that `f` throws; "" (and a failed test) when it throws none or one of
// another code.
template <typename F>
std::string error_of(F&& f, ExitCode code = ExitCode::kUserInput) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

}  // namespace kdbench::testing

// Names every part that is missing in a text.
#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)
