// SPDX-License-Identifier: MIT
#include "io/base/look.h"

#include <algorithm>
#include <system_error>

#include "io/base/error.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_look(const fs::path& path, const std::error_code& problem) {
  throw_user_error(path.string(), "cannot be looked at: " + problem.message(),
                   "is the path right, and may you read all of its folders?");
}

fs::file_type file_type_of(const fs::path& path) {
  std::error_code problem;
  const fs::file_type type = fs::status(path, problem).type();
  // A missing file has a problem too, which is none.
  if (problem && type != fs::file_type::not_found) refuse_look(path, problem);
  return type;
}

}  // namespace

bool is_there(const fs::path& path) { return file_type_of(path) != fs::file_type::not_found; }
bool is_folder(const fs::path& path) { return file_type_of(path) == fs::file_type::directory; }
bool is_file(const fs::path& path) { return file_type_of(path) == fs::file_type::regular; }

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code problem;
  for (fs::directory_iterator at(folder, problem), end; !problem && at != end;
       at.increment(problem)) {
    entries.push_back(at->path());
  }
  if (problem) refuse_look(folder, problem);
  std::sort(entries.begin(), entries.end());
  return entries;
}

}  // namespace kdbench
