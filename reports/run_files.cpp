// SPDX-License-Identifier: MIT
#include "reports/run_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "io/base/error.h"
#include "io/base/look.h"
#include "io/base/sha256.h"
#include "reports/old_record.h"
#include "reports/run_fields.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kNewestSchema = 2;
constexpr const char* kHash = "record_sha256";

bool unfinished(const fs::path& folder) { return folder.extension() == ".partial"; }

bool holds_run(const fs::path& folder) {
  return is_file(folder / kRunJson) || (unfinished(folder) && is_file(folder / "events.jsonl"));
}

// Folders of runs at or below some folders.
class RunFinder {
 public:
  void search(const fs::path& folder) {
    std::error_code failed;
    const fs::path real = fs::canonical(folder, failed);
    // Links may lead to the same folder twice, or in a circle.
    if (failed || !visited_.insert(real).second) return;
    if (holds_run(folder)) {
      found_.push_back(folder);
      return;
    }
    const auto entries = fs::directory_iterator(folder, failed);
    if (failed) throw_user_error(folder.string(), "cannot be read: " + failed.message());
    for (const auto& entry : entries) {
      if (entry.is_directory(failed) && entry.path().filename() != ".stages") search(entry.path());
    }
  }

  std::vector<fs::path> found() && {
    std::sort(found_.begin(), found_.end());
    return std::move(found_);
  }

 private:
  std::set<fs::path> visited_;
  std::vector<fs::path> found_;
};

std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string text;
  std::error_code failed;
  const auto size = fs::file_size(file, failed);
  if (!failed) text.resize(size);
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(stream.gcount()));
  return text;
}

// Records of before there were hashes are taken as they are.
bool is_as_written(const json& record) {
  return !record.contains(kHash) || record.at(kHash) == record_sha256(record);
}

json read_record(const fs::path& file) {
  json record;
  try {
    record = json::parse(without_whole_experiment(content_of(file)));
  } catch (const json::exception& error) {
    throw_user_error(file.string(), "cannot be read as JSON", error.what());
  }
  const auto version = record.is_object() ? record.find("schema_version") : record.end();
  if (!record.is_object() || version == record.end() || !version->is_number_integer()) {
    throw_user_error(file.string(), "has no schema_version", "not a run.json of kdbench?");
  }
  if (version->get<int>() > kNewestSchema) {
    throw_user_error(file.string(),
                     fmt::format("schema_version {} is newer than this program's {}",
                                 version->get<int>(), kNewestSchema),
                     "a newer kdbench can read it");
  }
  if (!is_as_written(record)) {
    throw_user_error(file.string(), "is damaged: it is not what was written",
                     "delete its folder: the next run makes it again");
  }
  return record;
}

json read_run(const fs::path& folder) {
  json run = is_there(folder / kRunJson)
                 ? read_record(folder / kRunJson)
                 : json{{"run_id", folder.stem().string()},
                        {"experiment", folder.parent_path().filename().string()}};
  if (unfinished(folder) && text_of(run, "status") != "stopped") {
    run["status"] = "stopped";
    run["reason"] = "not finished: it was killed, or is still under way";
  }
  run["folder"] = folder.string();
  return run;
}

}  // namespace

std::string record_sha256(const json& record) {
  json content = record;
  content.erase(kHash);
  return json_hash(content, 64);
}

json read_run_json(const fs::path& folder) {
  std::ifstream file(folder / kRunJson);
  const json record = json::parse(file, nullptr, /*allow_exceptions=*/false);
  return record.is_object() && is_as_written(record) ? record : json::object();
}

std::vector<json> read_runs(const std::vector<fs::path>& folders) {
  RunFinder finder;
  std::string names;
  for (const auto& folder : folders) {
    if (!is_folder(folder)) throw_user_error(folder.string(), "no such folder");
    finder.search(folder);
    names += (names.empty() ? "" : ", ") + folder.string();
  }
  std::vector<json> runs;
  Problems problems;
  for (const auto& folder : std::move(finder).found()) {
    problems.collect([&] { runs.push_back(read_run(folder)); });
  }
  problems.throw_if_any("results");
  if (runs.empty()) {
    throw_user_error(names, "no run (run.json) in it",
                     "a run's folder, an experiment's or the output folder of kdbench run");
  }
  return runs;
}

}  // namespace kdbench
