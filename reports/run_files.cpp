// SPDX-License-Identifier: MIT
// Finds and reads run.json files.
#include <algorithm>
#include <fstream>

#include "io/error.h"
#include "reports/comparison.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr int kNewestSchema = 1;

bool skipped(const fs::path& folder) {
  return folder.filename() == ".stages" || folder.extension() == ".partial";
}

// run.json files at or below `folder`; a run's own subfolders are not looked into.
void find_runs(const fs::path& folder, std::vector<fs::path>& files) {
  if (skipped(folder)) return;
  if (fs::is_regular_file(folder / "run.json")) {
    files.push_back(folder / "run.json");
    return;
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) find_runs(entry.path(), files);
  }
}

nlohmann::json read_run(const fs::path& file) {
  std::ifstream stream(file);
  nlohmann::json json;
  try {
    stream >> json;
  } catch (const nlohmann::json::exception& error) {
    throw_user_error(file.string(), "cannot be read as JSON", error.what());
  }
  const auto version = json.is_object() ? json.find("schema_version") : json.end();
  if (!json.is_object() || version == json.end() || !version->is_number_integer()) {
    throw_user_error(file.string(), "has no schema_version", "not a run.json of kdbench?");
  }
  if (version->get<int>() > kNewestSchema) {
    throw_user_error(file.string(), "schema_version " + version->dump() + " is newer than this " +
                                        "program's " + std::to_string(kNewestSchema));
  }
  return json;
}

}  // namespace

std::vector<nlohmann::json> read_runs(const std::vector<fs::path>& folders) {
  std::vector<fs::path> files;
  std::string names;
  for (const auto& folder : folders) {
    if (!fs::is_directory(folder)) throw_user_error(folder.string(), "no such folder");
    find_runs(folder, files);
    names += (names.empty() ? "" : ", ") + folder.string();
  }
  if (files.empty()) throw_user_error(names, "no finished run (run.json) in it");
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  std::vector<nlohmann::json> runs;
  for (const auto& file : files) runs.push_back(read_run(file));
  return runs;
}

}  // namespace kdbench
