// SPDX-License-Identifier: MIT
#include "suite/ranks/temporary_folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>

#include "io/base/error.h"
#include "io/base/host_name.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// With 2 MiB MPI_Init hangs; the embedded corpora, where a verb needs them, take 6 MB.
constexpr uintmax_t kRoom = 16 << 20;
constexpr std::chrono::seconds kPatience{5};

fs::path temporary_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder && *folder ? folder : "/tmp";
}

// This process among those of the job on this host, as mpirun or srun tells before MPI runs.
int local_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID"}) {
    if (const char* number = std::getenv(name)) return std::atoi(number);
  }
  return 0;
}

// A new file of one page, which a full disk or a quota refuses. The reason why not, or 0.
int refuses_files(const fs::path& folder) {
  std::string name = (folder / "kdbench-XXXXXX").string();
  const int file = ::mkstemp(name.data());
  if (file < 0) return errno;
  const int refused = ::posix_fallocate(file, 0, 4096);
  ::close(file);
  ::unlink(name.c_str());
  return refused;
}

// Empty when all is well.
std::string problem_of(const fs::path& folder) {
  const int reason = refuses_files(folder);
  if (reason != 0) return fmt::format("takes no files: {}", std::strerror(reason));
  std::error_code unknown;
  const fs::space_info space = fs::space(folder, unknown);
  if (unknown || space.available >= kRoom) return "";
  return fmt::format("has {} MiB left, fewer than {}", space.available >> 20, kRoom >> 20);
}

}  // namespace

void check_temporary_folder() {
  const fs::path folder = temporary_folder();
  const std::string problem = problem_of(folder);
  if (problem.empty()) return;
  if (local_rank() > 0) std::this_thread::sleep_for(kPatience);
  throw_machine_error(fmt::format("{} on {}", folder.string(), host_name()), problem,
                      "the folder of temporary files; set TMPDIR to one with room");
}

}  // namespace kdbench
