// SPDX-License-Identifier: MIT
// Result folders in: finds and reads run.json files. Everything in reports/ works on these records.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace kdbench {

inline constexpr const char* kRunJson = "run.json";

// Of a record's content, all but its key "record_sha256", which holds it: a record that is not what
// was written is refused.
std::string record_sha256(const nlohmann::json& record);

// The record in a run's folder; an empty object where there is none, or it is not what was written.
// Throws nothing.
nlohmann::json read_run_json(const std::filesystem::path& folder);

// What to do about a run whose record is lost: its run.json is missing, cut, or not what was
// written.
enum class LostRecords {
  kRefuse,  // a user error
  kList     // a run of its folder's name with status kDamaged and the reason
};
inline constexpr const char* kDamaged = "damaged";

// The run.json of every run at or below the folders (a run's folder, an experiment's, an output
// folder), in order of path, each run once; "folder" is added: where it was found. Folders
// whose names begin with a period are skipped: shared stages, runs of scaling studies. What a
// killed run leaves (<run-id>.partial) has status "stopped". Throws one user error that lists all
// files that cannot be read (and why), or says that there is no run.
std::vector<nlohmann::json> read_runs(const std::vector<std::filesystem::path>& folders,
                                      LostRecords lost_records = LostRecords::kRefuse);

}  // namespace kdbench
