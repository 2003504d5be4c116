// SPDX-License-Identifier: MIT
// What both stores share: a file that appears under its name only when every rank has written its
// part, and the checks of kind and version when it is opened.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "io/base/collective.h"
#include "io/hdf5/hdf5.h"

namespace kdbench {

// Collective. Makes <path>.partial with the attributes `format` and `format_version`, runs `fill`
// on it, closes it and renames it; there is no file when it fails. The folder must be there.
// `bytes`: of this rank's data, reserved on the disk first. Errors come on every rank; what fails
// on one rank alone between two collective calls, or inside HDF5, ends the job.
void write_store(const std::filesystem::path& path, MPI_Comm comm, const std::string& format,
                 int version, int64_t bytes,
                 const std::function<void(const Communicator&, const hdf5::Group&)>& fill);

// Collective. Throws on all ranks when `description` is not the same everywhere.
void require_same(const Communicator& ranks, const std::string& what,
                  const std::string& description);

// Local. Throws a user error when the file is no store of this kind and version.
hdf5::File open_store(const std::filesystem::path& path, const std::string& format, int version);

}  // namespace kdbench
