// SPDX-License-Identifier: MIT
// A store's hash over all of itself, in its user block: the bytes before HDF5's own, which other
// readers skip. HDF5's checksums of chunks (fletcher32) take a chunk of zeros for whole.
#pragma once

#include <cstdint>
#include <filesystem>

namespace kdbench {

// The size of the user block: where a sealed store's own bytes begin.
inline constexpr int64_t kSealBytes = 512;

// Hashes the file, which was made with such a user block, and writes the seal. Local; throws a
// machine error.
void seal_store(const std::filesystem::path& path);

// Throws a user error when the file is not what was sealed. Reads all of it, once per process while
// it stays as it is. A store without a user block, of another program, has no seal. Local.
void check_seal(const std::filesystem::path& path);

}  // namespace kdbench
