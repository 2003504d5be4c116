// SPDX-License-Identifier: MIT
#include "io/base/partial_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "io/base/error.h"

namespace kdbench {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw_machine_error(path.string(), what + ": " + std::strerror(errno));
}

}  // namespace

std::filesystem::path plain_path(const std::filesystem::path& path) {
  const std::filesystem::path plain = std::filesystem::absolute(path).lexically_normal();
  return plain.has_filename() ? plain : plain.parent_path();
}

std::filesystem::path partial_path(const std::filesystem::path& path) {
  return path.string() + ".partial";
}

void finish_partial(const std::filesystem::path& path) {
  const std::filesystem::path partial = partial_path(path);
  const int file = ::open(partial.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(partial, "cannot be opened again");
  const bool flushed = ::fsync(file) == 0;
  const int reason = errno;
  ::close(file);
  errno = reason;
  if (!flushed) fail(partial, "cannot be flushed");
  if (std::rename(partial.c_str(), path.c_str()) != 0)
    fail(path, "cannot be renamed from .partial");
}

void flush_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

void remove_finished(const std::filesystem::path& path) {
  const std::filesystem::path partial = partial_path(path);
  std::error_code error;
  std::filesystem::remove_all(partial, error);  // of an attempt that died
  if (!error) std::filesystem::rename(path, partial, error);
  if (error == std::errc::no_such_file_or_directory) return;
  if (!error) std::filesystem::remove_all(partial, error);
  if (error) throw_machine_error(path.string(), "cannot be removed: " + error.message());
}

void make_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = plain_path(file).parent_path();
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) throw_machine_error(folder.string(), "cannot be made: " + failed.message());
}

void make_subfolder(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::create_directory(folder, failed);
  if (failed) throw_machine_error(folder.string(), "cannot be made: " + failed.message());
}

PartialFile::PartialFile(std::filesystem::path path, int64_t kept) : path_(std::move(path)) {
  file_ = std::fopen(partial_path(path_).c_str(), kept > 0 ? "r+b" : "wb");
  if (!file_) fail(path_, "cannot be written");
  if (kept == 0) return;
  if (::ftruncate(::fileno(file_), kept) != 0 || std::fseek(file_, 0, SEEK_END) != 0)
    fail(path_, "cannot be gone on with");
}

PartialFile::~PartialFile() {
  if (!file_) return;
  std::fclose(file_);
  std::error_code ignored;
  std::filesystem::remove(partial_path(path_), ignored);
}

void PartialFile::write(const void* data, size_t size) {
  if (size > 0 && std::fwrite(data, 1, size, file_) != size) fail(path_, "cannot be written");
}

void PartialFile::flush() {
  if (std::fflush(file_) != 0) fail(path_, "cannot be written");
}

void PartialFile::commit() {
  flush();
  finish_partial(path_);
  std::fclose(std::exchange(file_, nullptr));
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  PartialFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace kdbench
