// SPDX-License-Identifier: MIT
#include "io/tasks/leaderboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "io/base/error.h"
#include "io/base/text.h"

namespace kdbench {
namespace {

constexpr std::string_view kHeader = "index\tprediction";
constexpr double kHighestScore = 5.0;

std::string score_text(double score) {
  return fmt::format("{:.3f}", std::clamp(score, 0.0, kHighestScore));
}

// The value as the leaderboard wants it; empty when it is none of the task's.
std::string value_text(const Task& task, std::string_view value) {
  if (!task.regression()) {
    const bool known =
        std::find(task.labels.begin(), task.labels.end(), value) != task.labels.end();
    return known ? std::string(value) : "";
  }
  double score = 0;
  const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), score);
  const bool number = problem == std::errc() && end == value.data() + value.size();
  return number && std::isfinite(score) ? score_text(score) : "";
}

std::string table_head() { return std::string(kHeader) + "\n"; }

}  // namespace

const std::vector<LeaderboardFile>& leaderboard_files() {
  static const std::vector<LeaderboardFile> files{{"CoLA.tsv", "CoLA", "test", 1063},
                                                  {"SST-2.tsv", "SST-2", "test", 1821},
                                                  {"MRPC.tsv", "MRPC", "test", 1725},
                                                  {"STS-B.tsv", "STS-B", "test", 1379},
                                                  {"MNLI-m.tsv", "MNLI", "test_matched", 9796},
                                                  {"MNLI-mm.tsv", "MNLI", "test_mismatched", 9847},
                                                  {"QNLI.tsv", "QNLI", "test", 5463},
                                                  {"QQP.tsv", "QQP", "test", 390965},
                                                  {"RTE.tsv", "RTE", "test", 3000},
                                                  {"WNLI.tsv", "WNLI", "test", 146},
                                                  {"AX.tsv", "MNLI", "diagnostic", 1104}};
  return files;
}

std::string leaderboard_text(const LeaderboardFile& file, const std::filesystem::path& predictions,
                             bool any_size) {
  const Task& task = find_task(file.task);
  const std::string content = read_text_file(predictions);
  std::string_view rest = content;
  if (rest.empty() || take_line(rest) != kHeader) {
    throw_user_error(predictions.string() + ":1", "expected the header index<TAB>prediction");
  }
  std::string text = table_head();
  std::vector<std::string_view> cells;
  int64_t rows = 0;
  for (; !rest.empty(); ++rows) {
    split_cells(take_line(rest), cells);
    const std::string value = cells.size() == 2 ? value_text(task, cells[1]) : "";
    if (value.empty() || cells[0] != std::to_string(rows)) {
      throw_user_error(fmt::format("{}:{}", predictions.string(), rows + 2),
                       fmt::format("expected index {} and {}", rows,
                                   task.regression() ? "a score" : joined(task.labels, " or ")));
    }
    text += fmt::format("{}\t{}\n", rows, value);
  }
  if (rows != file.rows && !any_size) {
    throw_user_error(
        predictions.string(),
        fmt::format("has {} rows, the leaderboard's {} must have {}", rows, file.name, file.rows),
        "predict the whole test set, or --any-size for a file that is not submitted");
  }
  return text;
}

std::string fill_value(const LeaderboardFile& file) {
  const Task& task = find_task(file.task);
  return task.regression() ? score_text(0) : task.labels.front();
}

std::string filled_text(const LeaderboardFile& file) {
  const std::string value = fill_value(file);
  std::string text = table_head();
  for (int64_t row = 0; row < file.rows; ++row) text += fmt::format("{}\t{}\n", row, value);
  return text;
}

}  // namespace kdbench
