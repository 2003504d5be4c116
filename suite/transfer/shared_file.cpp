// SPDX-License-Identifier: MIT
#include "suite/transfer/shared_file.h"

#include <vector>

#include "io/base/collective.h"
#include "io/base/mpi_check.h"

namespace kdbench {

SharedFile::SharedFile(const std::filesystem::path& path, const Control& control, int64_t kept)
    : control_(control), bytes_(kept) {
  control_.on_root([&] { file_ = std::make_unique<PartialFile>(path, kept); });
}

int64_t SharedFile::flushed() {
  file_->flush();
  return bytes_;
}

void SharedFile::append(const std::string& mine) {
  std::string all;
  if (control_.size() > 1)
    together(Communicator(control_.comm()), "gathering texts", [&] { all = gathered(mine); });
  const std::string& bytes = control_.size() > 1 ? all : mine;
  control_.on_root([&] {
    file_->write(bytes.data(), bytes.size());
    bytes_ += static_cast<int64_t>(bytes.size());
  });
}

void SharedFile::commit() {
  control_.on_root([&] { file_->commit(); });
}

// All ranks' bytes, on the root.
std::string SharedFile::gathered(const std::string& mine) const {
  const int count = static_cast<int>(mine.size());
  std::vector<int> counts(static_cast<size_t>(control_.size()));
  check_mpi(MPI_Gather(&count, 1, MPI_INT, counts.data(), 1, MPI_INT, 0, control_.comm()),
            "MPI_Gather");
  const std::vector<int> starts = starts_of(counts);
  std::string all(control_.root() ? static_cast<size_t>(starts.back() + counts.back()) : 0, ' ');
  check_mpi(MPI_Gatherv(mine.data(), count, MPI_BYTE, all.data(), counts.data(), starts.data(),
                        MPI_BYTE, 0, control_.comm()),
            "MPI_Gatherv");
  return all;
}

}  // namespace kdbench
