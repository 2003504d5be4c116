// SPDX-License-Identifier: MIT
#include "reports/run_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "io/base/error.h"
#include "io/base/json_file.h"
#include "io/base/look.h"
#include "io/base/sha256.h"
#include "io/base/text.h"
#include "reports/old_record.h"
#include "reports/run_fields.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kNewestSchema = 2;
constexpr const char* kHash = "record_sha256";

bool unfinished(const fs::path& folder) { return folder.extension() == ".partial"; }

// By its events too: a run whose record is lost, or not written yet, is one.
bool holds_run(const fs::path& folder) {
  return is_file(folder / kRunJson) || is_file(folder / "events.jsonl");
}

// Shared stages, and runs of scaling studies, which are in no table of runs.
bool hidden(const fs::path& folder) { return folder.filename().string().starts_with('.'); }

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
      if (entry.is_directory(failed) && !hidden(entry.path())) search(entry.path());
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

// Records of before there were hashes are taken as they are.
bool is_as_written(const json& record) {
  return !record.contains(kHash) || record.at(kHash) == record_sha256(record);
}

// A run's record, or why there is none any more.
struct Record {
  json content;
  std::string loss, hint;
};

Record lost(std::string why, std::string hint) { return {{}, std::move(why), std::move(hint)}; }

Record read_record(const fs::path& file) {
  constexpr const char* kRemedy = "delete its folder: the next run makes it again";
  if (!is_there(file)) return lost("is missing", kRemedy);
  const std::string text = without_whole_experiment(read_text_file(file));
  json record;
  try {
    record = json_object_of(text, file.string());
  } catch (const Error& error) {
    return lost(error.message(), kRemedy);
  }
  const auto version = record.find("schema_version");
  if (version == record.end() || !version->is_number_integer())
    return lost("has no schema_version", "not a run.json of kdbench?");
  if (version->get<int>() > kNewestSchema) {
    throw_user_error(file.string(),
                     fmt::format("schema_version {} is newer than this program's {}",
                                 version->get<int>(), kNewestSchema),
                     "a newer kdbench can read it");
  }
  if (!is_as_written(record)) return lost("is damaged: it is not what was written", kRemedy);
  return {std::move(record), "", ""};
}

// What its place says of a run without a record.
json unknown_run(const fs::path& folder, const char* status, std::string reason) {
  const fs::path name = unfinished(folder) ? folder.stem() : folder.filename();
  return {{"run_id", name.string()},
          {"experiment", folder.parent_path().filename().string()},
          {"status", status},
          {"reason", std::move(reason)}};
}

json read_run(const fs::path& folder, LostRecords lost_records) {
  constexpr const char* kKilled = "not finished: it was killed, or is still under way";
  const fs::path file = folder / kRunJson;
  if (unfinished(folder) && !is_there(file)) return unknown_run(folder, "stopped", kKilled);
  Record record = read_record(file);
  if (!record.loss.empty()) {
    if (lost_records == LostRecords::kRefuse)
      throw_user_error(file.string(), record.loss, record.hint);
    return unknown_run(folder, kDamaged,
                       fmt::format("{} {} ({})", kRunJson, record.loss, record.hint));
  }
  if (unfinished(folder) && text_of(record.content, "status") != "stopped") {
    record.content["status"] = "stopped";
    record.content["reason"] = kKilled;
  }
  return std::move(record.content);
}

}  // namespace

std::string record_sha256(const json& record) {
  json content = record;
  content.erase(kHash);
  return json_hash(content, 64);
}

json read_run_json(const fs::path& folder) {
  try {
    json record = read_json_object(folder / kRunJson);
    if (is_as_written(record)) return record;
  } catch (const Error&) {
  }
  return json::object();
}

std::vector<json> read_runs(const std::vector<fs::path>& folders, LostRecords lost_records) {
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
    problems.collect([&] {
      json run = read_run(folder, lost_records);
      run["folder"] = folder.string();
      runs.push_back(std::move(run));
    });
  }
  problems.throw_if_any("results");
  if (runs.empty()) {
    throw_user_error(names, "no run (run.json) in it",
                     "a run's folder, an experiment's or the output folder of kdbench run");
  }
  return runs;
}

}  // namespace kdbench
