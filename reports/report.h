// SPDX-License-Identifier: MIT
// A report folder from the records of runs: report.md for people, CSV files for programs. A new
// format is one more writer of the tables (table.h) and one more line here.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace kdbench {

// Who writes the report, for its first lines.
struct ReportMaker {
  std::string program;   // "kdbench 0.1.0, commit 0123abc"
  std::string command;   // the whole command line
  std::string made_utc;  // ISO 8601
};

// Throws a user error when `folder` cannot become a report's: it exists and is neither empty nor an
// earlier report.
void check_report_folder(const std::filesystem::path& folder);

// report.md, comparison.csv, paired.csv, grids.csv, spread.csv and runs.csv, written as
// `folder`.partial and renamed; an earlier report is replaced. Returns the folder's final name.
// Throws user errors (check_report_folder) and machine errors.
std::filesystem::path write_report(const std::vector<nlohmann::json>& runs,
                                   const std::filesystem::path& folder, const ReportMaker& maker);

}  // namespace kdbench
