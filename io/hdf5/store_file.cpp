// SPDX-License-Identifier: MIT
#include "io/hdf5/store_file.h"

#include <optional>

#include "io/base/error.h"
#include "io/base/partial_file.h"
#include "io/hdf5/store_seal.h"

namespace kdbench {
namespace {

constexpr int64_t kOverhead = 8 << 20;  // of HDF5's own structures, and chunks that are not full

}  // namespace

void write_store(const std::filesystem::path& path, MPI_Comm comm, const std::string& format,
                 int version, int64_t bytes,
                 const std::function<void(const Communicator&, const hdf5::Group&)>& fill) {
  const Communicator ranks(comm);
  const std::filesystem::path partial = partial_path(path);
  const std::string doing = "writing " + partial.string();
  // Beyond the reach of exceptions: to close a file is collective.
  std::optional<hdf5::File> file;
  try {
    together(ranks, doing.c_str(), [&] {
      const int64_t needed = sum(ranks, bytes);
      file.emplace(hdf5::File::create_parallel(partial, comm, needed + needed / 64 + kOverhead));
      {
        const hdf5::Group root = file->root();
        root.set("format", format);
        root.set("format_version", static_cast<int64_t>(version));
        fill(ranks, root);
      }
      file->close();
      agree(ranks, [&] {
        if (ranks.rank != 0) return;
        seal_store(partial);
        finish_partial(path);
      });
    });
  } catch (const Error&) {
    std::error_code ignored;
    if (ranks.rank == 0) std::filesystem::remove(partial, ignored);
    throw;
  }
}

void require_same(const Communicator& ranks, const std::string& what,
                  const std::string& description) {
  const std::vector<std::string> all = gather_all(ranks, description);
  for (const auto& other : all) {
    if (other == all.front()) continue;
    Error error(ExitCode::kMachine, what,
                "ranks describe it differently: " + all.front() + " and " + other);
    error.on_every_rank = true;
    throw error;
  }
}

hdf5::File open_store(const std::filesystem::path& path, const std::string& format, int version) {
  hdf5::File file = hdf5::File::open_read(path);
  const hdf5::Group root = file.root();
  if (root.text("format") != format)
    root.fail("", "is a " + root.text("format") + ", not a " + format);
  const int64_t found = root.integer("format_version");
  if (found != version) {
    root.fail("", "has format version " + std::to_string(found) + ", this program reads version " +
                      std::to_string(version));
  }
  check_seal(path);
  return file;
}

}  // namespace kdbench
