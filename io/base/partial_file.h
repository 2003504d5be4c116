// SPDX-License-Identifier: MIT
// A file that exists under its name only when it is complete: written as <path>.partial, flushed,
// renamed.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string_view>

namespace kdbench {

// Absolute, without a slash at the end, which would put ".partial" inside of a folder.
std::filesystem::path plain_path(const std::filesystem::path& path);
// <path>.partial
std::filesystem::path partial_path(const std::filesystem::path& path);
// Flushes `path`.partial to the disk and gives it its name. Throws a machine error.
void finish_partial(const std::filesystem::path& path);
// Makes the renames in `folder` last, as far as its file system does.
void flush_folder(const std::filesystem::path& folder);

// Makes the folder, and those above it, of a file that the user asks for. Throws a machine error.
void make_folder_of(const std::filesystem::path& file);
// Makes `folder` in one that must be there, unless it exists. Throws a machine error.
void make_subfolder(const std::filesystem::path& folder);

// Removes a finished file or folder, which first loses its name. Throws a machine error.
void remove_finished(const std::filesystem::path& path);

class PartialFile {
 public:
  // The folder must be there: one that was removed during a run is not made anew, for it would lack
  // what was in it. All functions throw machine errors naming the file.
  // Of what an attempt that died has left, the first `kept` bytes stay.
  explicit PartialFile(std::filesystem::path path, int64_t kept = 0);
  ~PartialFile();  // removes the partial file unless commit() was reached
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  void write(const void* data, size_t size);
  // Hands all that was written to the system: it outlives the process.
  void flush();
  void commit();

 private:
  std::filesystem::path path_;
  std::FILE* file_ = nullptr;
};

// A file that holds this text, through a PartialFile.
void write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace kdbench
