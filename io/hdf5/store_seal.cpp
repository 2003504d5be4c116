// SPDX-License-Identifier: MIT
#include "io/hdf5/store_seal.h"

#include <fstream>
#include <string>

#include "io/base/error.h"
#include "io/base/sha256.h"

namespace kdbench {
namespace {

constexpr std::string_view kTitle = "kdbench store, sha256 of what follows this block: ";
constexpr std::string_view kSuperblock = "\x89HDF\r\n\x1a\n";  // how HDF5's own bytes begin

std::string block_of(const std::filesystem::path& path) {
  std::string block = std::string(kTitle) + file_sha256(path, kSealBytes) + "\n";
  block.resize(static_cast<size_t>(kSealBytes));
  return block;
}

}  // namespace

void seal_store(const std::filesystem::path& path) {
  const std::string block = block_of(path);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  if (!file.write(block.data(), kSealBytes).flush())
    throw_machine_error(path.string(), "cannot be written", "is the disk full?");
}

void check_seal(const std::filesystem::path& path) {
  std::string block(static_cast<size_t>(kSealBytes), '\0');
  std::ifstream file(path, std::ios::binary);
  const bool whole = static_cast<bool>(file.read(block.data(), kSealBytes));
  if (whole && block.starts_with(kSuperblock)) return;
  if (!whole || block != block_of(path))
    throw_user_error(path.string(), "is damaged: it is not what was written", "make it again");
}

}  // namespace kdbench
