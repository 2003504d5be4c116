// SPDX-License-Identifier: MIT
// A training case: a folder with an experiment.toml of one student, run as `kdbench run` does, and
// what the run leaves.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "suite/walks/make.h"

namespace kdbench::testing {

inline std::vector<nlohmann::json> read_lines(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

// Lines of one type; a step of the fixtures has none.
inline std::vector<nlohmann::json> of_type(const std::vector<nlohmann::json>& lines,
                                           const std::string& type) {
  std::vector<nlohmann::json> found;
  for (const auto& line : lines) {
    if (line.value("type", "step") == type) found.push_back(line);
  }
  return found;
}

inline std::vector<std::vector<double>> read_logits(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);  // header
  std::vector<std::vector<double>> rows;
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    double cell = 0;
    cells >> cell;  // row id
    rows.emplace_back();
    while (cells >> cell) rows.back().push_back(cell);
  }
  return rows;
}

inline std::filesystem::path student_folder(const std::filesystem::path& experiment) {
  for (const auto& entry : std::filesystem::directory_iterator(experiment)) {
    const std::string name = entry.path().filename().string();
    const auto is = [&](const char* role) { return name.find(role) != std::string::npos; };
    const bool is_run = std::filesystem::exists(entry.path() / "run.json");
    if (is_run && !is("-teacher-") && !is("-assistant-")) return entry.path();
  }
  return {};
}

// Where and with whom a case is computed.
struct CasePlace {
  at::Device device = at::kCPU;
  std::unique_ptr<Collectives> collectives;
};

// Collective; on one thread a rank. Below `out`.
inline ExperimentRuns run_case(const std::filesystem::path& folder,
                               const std::vector<std::string>& overrides,
                               const std::filesystem::path& out, const Control& control,
                               const CasePlace& place) {
  const Workspace workspace{control, *place.collectives, place.device, 1, out, "parity test"};
  return make_experiment(load_experiment(folder / "experiment.toml", overrides), workspace);
}

inline ExperimentRuns run_case(const std::filesystem::path& folder,
                               const std::vector<std::string>& overrides,
                               const std::filesystem::path& out, const Control& control) {
  return run_case(folder, overrides, out, control, {at::kCPU, make_collectives(control, at::kCPU)});
}

// What a run scored its dev rows with, and their file names.
struct DevFiles {
  explicit DevFiles(const std::filesystem::path& run) {
    std::ifstream file(run / "run.json");
    record = nlohmann::json::parse(file);
    const std::string task = record.at("task");
    split = task == "MNLI" ? "dev_matched" : "dev";
    const std::string stem = (run / "predictions" / (task + "-" + split)).string();
    logits = stem + "-logits.tsv";
    teacher_logits = stem + "-teacher-logits.tsv";
  }
  // "last", "teacher_last": after training.
  const nlohmann::json& metrics(const char* when) const {
    return record.at("metrics").at(when).at(split);
  }

  nlohmann::json record;
  std::string split;
  std::filesystem::path logits, teacher_logits;
};

}  // namespace kdbench::testing
