// SPDX-License-Identifier: MIT
// One run's folder: <out>/<experiment>/<run-id>.partial while it works, <run-id> when finished.
// Files are written by the root rank only; on other ranks every member does nothing.
#pragma once

#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/tasks/task.h"
#include "suite/training/metrics.h"

namespace kdbench {

inline constexpr int kRunSchemaVersion = 2;

class RunRecord {
 public:
  // Creates `folder`.partial (and the parents). `active`: this rank writes (the root). Never
  // overwrites: a finished folder of that name is a user error. A left-over .partial of an earlier
  // attempt is replaced.
  RunRecord(std::filesystem::path folder, bool active);
  ~RunRecord();

  // Where files go while the run is under way.
  const std::filesystem::path& folder() const { return partial_; }
  const std::filesystem::path& final_folder() const { return final_; }
  bool active() const { return active_; }

  // run.json's content, to be filled by the driver; written by begin() and finish().
  nlohmann::json& json() { return json_; }

  // Writes run.json with status "running": what a killed run leaves says what it was.
  void begin();

  // Appends one line to events.jsonl, flushed by line.
  void event(const nlohmann::json& line);
  // The lines so far, and, before the first, those of the job that this one goes on from.
  std::string events() const;
  void go_on(const std::string& events);

  // predictions/<TASK>-<split>.tsv (label strings, or scores) and ...-logits.tsv (9 significant
  // digits).
  void predictions(const Task& task, const std::string& split, const Predictions& predictions,
                   const std::vector<std::string>& label_order);

  // Writes run.json with status "stopped" and the reason; the folder keeps its name, and another
  // job goes on with the run.
  void stop(const std::string& reason);

  // Writes run.json with status "done" or "failed" and the reason, and renames the folder to its
  // final name.
  void finish(const std::string& status, const std::string& reason = "");

 private:
  void write_json(const std::string& status, const std::string& reason);

  std::filesystem::path final_, partial_;
  bool active_ = false, finished_ = false;
  nlohmann::json json_;
  struct Events;
  std::unique_ptr<Events> events_;
};

// Writes <folder>/run.json, with the hash that tells whether it is still what was written. Local;
// throws machine errors.
void write_run_json(const std::filesystem::path& folder, nlohmann::json record);

// `first`, or first-2, first-3, ... after failed attempts: results are never overwritten. `done` is
// set when a finished run stands under the returned name; `last` receives the record of the last
// attempt, an empty object where it cannot be read, and stays as it is where there was none.
std::filesystem::path free_run_folder(const std::filesystem::path& first, bool* done,
                                      nlohmann::json* last = nullptr);

// UTC, ISO 8601 with seconds: "2026-11-21T09:00:00Z".
std::string utc_time(std::time_t time);
std::string utc_now();

}  // namespace kdbench
