// SPDX-License-Identifier: MIT
#include "reports/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "io/base/error.h"
#include "io/base/look.h"
#include "io/base/partial_file.h"
#include "reports/comparison.h"
#include "reports/grid.h"
#include "reports/language_models.h"
#include "reports/origin.h"
#include "reports/pairing.h"
#include "reports/run_fields.h"
#include "reports/run_files.h"
#include "reports/run_table.h"
#include "reports/spread.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kMark = "<!-- kdbench report -->";  // the first line of a report.md
constexpr const char* kMarkdown = "report.md";
constexpr const char* kComparison = "comparison.csv";
constexpr const char* kPaired = "paired.csv";
constexpr const char* kGrids = "grids.csv";
constexpr const char* kSpread = "spread.csv";
constexpr const char* kRuns = "runs.csv";

bool has_mark(const fs::path& folder) {
  std::ifstream file(folder / kMarkdown);
  std::string line;
  return std::getline(file, line) && line == kMark;
}

// Names in `folder` that no report has.
std::string foreign_name(const fs::path& folder) {
  const std::set<std::string> own{kMarkdown, kComparison, kPaired, kGrids, kSpread, kRuns};
  std::set<std::string> names;
  for (const auto& entry : entries_of(folder)) {
    const std::string name = entry.filename().string();
    if (!own.count(name)) names.insert(name);
  }
  return names.empty() ? "" : *names.begin();
}

std::string experiments_text(const std::vector<json>& runs) {
  std::set<std::string> names;
  for (const auto& run : runs) names.insert(text_of(run, "experiment"));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string heading(const std::vector<json>& runs, const ReportMaker& maker) {
  const auto count = [&](const char* status) {
    return std::count_if(runs.begin(), runs.end(),
                         [&](const json& run) { return text_of(run, "status") == status; });
  };
  const auto done = count("done"), stopped = count("stopped"), damaged = count(kDamaged);
  return fmt::format(
      "{}\n# {}\n\n{} runs: {} done, {} failed, {} stopped{}. Made {} by `{}` ({}) from the runs' "
      "records alone; the tables with all digits are in {}, {}, {}, {} and {}.\n",
      kMark, experiments_text(runs), runs.size(), done,
      static_cast<std::ptrdiff_t>(runs.size()) - done - stopped - damaged, stopped,
      damaged > 0 ? fmt::format(", {} damaged", damaged) : "", maker.made_utc, maker.command,
      maker.program, kComparison, kPaired, kGrids, kSpread, kRuns);
}

// A heading and a table; nothing for a table without rows, unless its notes say why it has none.
std::string section(const std::string& title, Table table) {
  if (table.rows.empty() && table.notes.size() < 2) return "";
  table.title.clear();
  return fmt::format("\n## {}\n\n{}", title, write_markdown(table));
}

// The tables that both people and programs read.
struct Tables {
  explicit Tables(const std::vector<json>& all)
      : comparison(comparison_table(all)),
        paired(paired_table(all)),
        grids(grid_table(all)),
        spread(spread_table(all)),
        runs(run_table(all)) {}
  Table comparison, paired, grids, spread, runs;
};

std::string markdown(const std::vector<json>& runs, const Tables& tables,
                     const ReportMaker& maker) {
  return heading(runs, maker) + section("Comparison", tables.comparison) +
         section("Against finetune, paired by seed", tables.paired) +
         section("Grids", tables.grids) + section("Scores by seed", tables.spread) +
         section("Language models", language_model_table(runs)) + section("Runs", tables.runs) +
         section("Runs not done", not_done_table(runs)) +
         section("How it was made", origin_table(runs));
}

void rename_folder(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  fs::rename(from, to, failed);
  if (failed) throw_machine_error(to.string(), "cannot be put in place: " + failed.message());
}

fs::path earlier_path(const fs::path& folder) { return folder.string() + ".earlier.partial"; }

// Gives `partial` the name `folder`; an earlier report stands aside until that is done.
void put_in_place(const fs::path& partial, const fs::path& folder) {
  const fs::path earlier = earlier_path(folder);
  std::error_code ignored;
  fs::remove_all(earlier, ignored);
  const bool replaced = fs::exists(folder);
  if (replaced) rename_folder(folder, earlier);
  try {
    rename_folder(partial, folder);
  } catch (const Error&) {
    if (replaced) fs::rename(earlier, folder, ignored);
    throw;
  }
  fs::remove_all(earlier, ignored);
}

}  // namespace

void check_report_folder(const fs::path& folder) {
  for (const fs::path& scratch : {partial_path(folder), earlier_path(folder)}) {
    if (!is_folder(scratch) || foreign_name(scratch).empty()) continue;
    throw_user_error(scratch.string(),
                     "holds " + foreign_name(scratch) + ", which is not a report's",
                     "choose another --out");
  }
  if (!is_there(folder)) return;
  if (!is_folder(folder)) throw_user_error(folder.string(), "is a file, not a folder");
  if (entries_of(folder).empty()) return;
  const std::string foreign = foreign_name(folder);
  if (has_mark(folder) && foreign.empty()) return;
  throw_user_error(folder.string(),
                   has_mark(folder) ? "holds " + foreign + ", which is not a report's"
                                    : "is there already, and is no report",
                   "nothing is overwritten; choose another --out");
}

fs::path write_report(const std::vector<json>& runs, const fs::path& folder,
                      const ReportMaker& maker) {
  const fs::path target = plain_path(folder);
  check_report_folder(target);
  const fs::path partial = partial_path(target);
  std::error_code failed;
  fs::remove_all(partial, failed);
  if (!failed) fs::create_directories(partial, failed);
  if (failed) throw_machine_error(partial.string(), "cannot be made: " + failed.message());
  const Tables tables(runs);
  write_file(partial / kMarkdown, markdown(runs, tables, maker));
  write_file(partial / kComparison, write_csv(tables.comparison));
  write_file(partial / kPaired, write_csv(tables.paired));
  write_file(partial / kGrids, write_csv(tables.grids));
  write_file(partial / kSpread, write_csv(tables.spread));
  write_file(partial / kRuns, write_csv(tables.runs));
  put_in_place(partial, target);
  return target;
}

}  // namespace kdbench
