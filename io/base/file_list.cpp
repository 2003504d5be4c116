// SPDX-License-Identifier: MIT
#include "io/base/file_list.h"

#include "io/base/error.h"
#include "io/base/sha256.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// -1 where there is no such file.
int64_t size_of(const fs::path& file) {
  std::error_code failed;
  const auto size = fs::file_size(file, failed);
  return failed ? -1 : static_cast<int64_t>(size);
}

bool is_there(const fs::path& folder, const std::string& name, const nlohmann::json& file) {
  return file.is_object() && size_of(folder / name) == file.value("size", int64_t{-1});
}

}  // namespace

nlohmann::json list_files(const fs::path& folder, const std::string& except) {
  nlohmann::json list = nlohmann::json::object();
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = entry.path().lexically_relative(folder).generic_string();
    if (name == except) continue;
    nlohmann::json file{{"size", size_of(entry.path())}};
    if (entry.path().extension() != ".h5") file["sha256"] = file_sha256(entry.path());
    list[name] = file;
  }
  return list;
}

bool files_are_there(const fs::path& folder, const nlohmann::json& list, std::string* missing) {
  if (!list.is_object()) return true;
  for (const auto& [name, file] : list.items()) {
    if (is_there(folder, name, file)) continue;
    if (missing) *missing = name;
    return false;
  }
  return true;
}

void check_files(const fs::path& folder, const nlohmann::json& list, const std::string& prefix) {
  if (!list.is_object()) return;
  for (const auto& [name, file] : list.items()) {
    if (!name.starts_with(prefix)) continue;
    const std::string path = (folder / name).string();
    if (size_of(folder / name) < 0) throw_user_error(path, "is gone");
    const auto hash = file.find("sha256");
    if (!is_there(folder, name, file) ||
        (hash != file.end() && *hash != file_sha256(folder / name))) {
      throw_user_error(path, "is damaged: it is not what was written");
    }
  }
}

}  // namespace kdbench
