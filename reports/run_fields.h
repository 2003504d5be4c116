// SPDX-License-Identifier: MIT
// What is read out of a run.json record; fields may be missing (a failed run has no metrics).
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "reports/table.h"

namespace kdbench {

// "" when there is no such text.
std::string text_of(const nlohmann::json& run, const std::string& key);
// The texts of the object at "grid/point", by key.
std::map<std::string, std::string> texts_at(const nlohmann::json& run, const std::string& path);
// The number at "time/train_s"; none where there is none (NaN is stored as null).
std::optional<double> number_at(const nlohmann::json& run, const std::string& path);
// Exact, also above 2^53, where number_at would round.
std::optional<int64_t> seed_of(const nlohmann::json& run);
std::optional<bool> flag_at(const nlohmann::json& run, const std::string& path);
// "SST-2"; "SST-2 (synthetic)" for an embedded corpus.
std::string shown_task(const nlohmann::json& run);
// The column "experiment": for people only where the runs are of several.
Column experiment_column(const std::vector<nlohmann::json>& runs);
bool is_done(const nlohmann::json& run);
bool is_teacher(const nlohmann::json& run);
bool is_assistant(const nlohmann::json& run);
bool is_language_model(const nlohmann::json& run);
bool is_prediction(const nlohmann::json& run);  // by `kdbench predict`

// Metrics of a checkpoint ("last", "best"; "teacher_last" of a teacher that learned beside the
// student; "": the one that the run kept) by column name: "f1" on the task's first dev split,
// "accuracy dev_mismatched" on others.
std::map<std::string, double> metrics_of(const nlohmann::json& run,
                                         const std::string& checkpoint = "");

// In what two runs' rows differ, "max_seq_length (40, 64)"; "" where their scores compare: the same
// source files, cut to the same length and number. Records that do not say it do not differ.
std::string data_difference(const nlohmann::json& a, const nlohmann::json& b);

// "vm (Intel(R) Xeon(R)), 2 ranks x 1 thread": times are comparable where this is the same.
std::string machine_of(const nlohmann::json& run);

// CPUs that other processes had of those of the run's hosts while it ran, of the host with most.
std::optional<double> cpus_of_others(const nlohmann::json& run);
// That was so much, on any host, that its times do not compare.
bool shared_its_cpus(const nlohmann::json& run);

// A rate over several runs: all that was done over all seconds, never a mean of rates.
class Rate {
 public:
  // Adds the run's rate at one path for its seconds at the other, unless one is missing or 0.
  void add(const nlohmann::json& run, const std::string& rate, const std::string& seconds);
  std::optional<double> per_second() const;

 private:
  double amount_ = 0.0, seconds_ = 0.0;
};

}  // namespace kdbench
