// SPDX-License-Identifier: MIT
// The archive is made in memory by libzip and written at once, so that nothing half-made is left.
#include "io/base/zip_file.h"

#include <zip.h>

#include <memory>

#include "io/base/error.h"
#include "io/base/partial_file.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr zip_uint16_t kFirstDosDate = (1 << 5) | 1;  // 1 January 1980

[[noreturn]] void zip_error(const fs::path& path, const std::string& what) {
  throw_machine_error(path.string(), "cannot be made: " + what);
}

struct SourceDeleter {
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
using Source = std::unique_ptr<zip_source_t, SourceDeleter>;

struct ArchiveDeleter {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
using Archive = std::unique_ptr<zip_t, ArchiveDeleter>;

void add_entry(zip_t* archive, const std::string& name, const std::string& content,
               const fs::path& path) {
  zip_source_t* source = zip_source_buffer(archive, content.data(), content.size(), 0);
  const zip_int64_t index =
      source ? zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8) : -1;
  if (index < 0) {
    zip_source_free(source);
    zip_error(path, zip_strerror(archive));
  }
  if (zip_file_set_dostime(archive, static_cast<zip_uint64_t>(index), 0, kFirstDosDate, 0) < 0) {
    zip_error(path, zip_strerror(archive));
  }
}

std::string content_of(zip_source_t* buffer, const fs::path& path) {
  zip_stat_t size;
  if (zip_source_stat(buffer, &size) < 0 || zip_source_open(buffer) < 0) {
    zip_error(path, zip_error_strerror(zip_source_error(buffer)));
  }
  std::string bytes(size.size, '\0');
  const zip_int64_t read = zip_source_read(buffer, bytes.data(), bytes.size());
  zip_source_close(buffer);
  if (read != static_cast<zip_int64_t>(bytes.size())) zip_error(path, "the archive was cut");
  return bytes;
}

}  // namespace

void write_zip(const fs::path& path, const ZipEntries& entries) {
  zip_error_t error;
  zip_error_init(&error);
  const Source buffer(zip_source_buffer_create(nullptr, 0, 0, &error));
  if (!buffer) zip_error(path, zip_error_strerror(&error));
  Archive archive(zip_open_from_source(buffer.get(), ZIP_TRUNCATE, &error));
  if (!archive) zip_error(path, zip_error_strerror(&error));
  zip_source_keep(buffer.get());  // the archive frees its own hold when it is closed
  for (const auto& [name, content] : entries) add_entry(archive.get(), name, content, path);
  if (zip_close(archive.get()) < 0) zip_error(path, zip_strerror(archive.get()));
  static_cast<void>(archive.release());
  const std::string bytes = content_of(buffer.get(), path);
  PartialFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

}  // namespace kdbench
