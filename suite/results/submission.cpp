// SPDX-License-Identifier: MIT
#include "suite/results/submission.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "io/base/error.h"
#include "io/base/file_list.h"
#include "io/base/look.h"
#include "io/base/text.h"
#include "io/tasks/leaderboard.h"
#include "reports/dev_score.h"
#include "reports/run_fields.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kDiagnostic = "AX";  // the task of a prediction of the diagnostic set alone

using Candidates = std::vector<const json*>;

bool wanted(const json& run, const SubmissionOptions& options) {
  const bool labelled = options.label.empty() || text_of(run, "label") == options.label ||
                        text_of(run, "grid/label") == options.label;
  return labelled && (!options.seed || seed_of(run) == options.seed);
}

Candidates candidates_of(const std::vector<json>& runs, const std::string& task,
                         const SubmissionOptions& options) {
  Candidates students, assistants, teachers, predictions;
  for (const auto& run : runs) {
    if (!is_done(run) || text_of(run, "task") != task) continue;
    // `kdbench predict` gives no label and no seed.
    if (is_prediction(run) && !wanted(run, options)) predictions.push_back(&run);
    if (!wanted(run, options)) continue;
    (is_teacher(run) ? teachers : is_assistant(run) ? assistants : students).push_back(&run);
  }
  for (const auto* candidates : {&students, &assistants, &teachers}) {
    if (!candidates->empty()) return *candidates;
  }
  return predictions;
}

[[noreturn]] void throw_several(const std::string& task, const Candidates& candidates) {
  constexpr size_t kListed = 10;
  std::vector<std::string> names;
  for (const json* run : candidates) {
    if (names.size() == kListed) break;
    names.push_back(text_of(*run, "folder"));
  }
  std::string text = fmt::format("{} runs, and one is needed:\n    {}", candidates.size(),
                                 joined(names, "\n    "));
  if (candidates.size() > kListed) {
    text += fmt::format("\n    ... and {} more", candidates.size() - kListed);
  }
  throw_user_error(task, text, "name its folder, or choose with --label, --seed or --best");
}

// The run that a task's predictions come from, with what is said of it.
struct Choice {
  const json* run = nullptr;
  std::string remark;
};

Choice choose(const std::string& task, const Candidates& candidates, bool best) {
  if (candidates.empty()) return {};
  if (candidates.size() == 1) return {candidates.front(), ""};
  if (!best) throw_several(task, candidates);
  const auto score = [](const json* run) { return dev_score(*run).value_or(-HUGE_VAL); };
  const json* chosen = *std::max_element(  // the first of equals
      candidates.begin(), candidates.end(),
      [&](const json* a, const json* b) { return score(a) < score(b); });
  if (!dev_score(*chosen)) throw_several(task, candidates);
  return {chosen, fmt::format(", best of {} runs by dev {} {:.3f}", candidates.size(),
                              dev_metric(*chosen), *dev_score(*chosen))};
}

class Submission {
 public:
  Submission(const std::vector<json>& runs, const SubmissionOptions& options)
      : runs_(runs), options_(options) {}

  std::vector<SubmissionFile> make() {
    std::vector<SubmissionFile> files;
    for (const auto& file : leaderboard_files()) {
      problems_.collect([&] { files.push_back(make_file(file)); });
    }
    problems_.throw_if_any("glue-zip");
    if (used_ == 0) {
      throw_user_error("glue-zip", "no run has predictions of a test set",
                       options_.label.empty() && !options_.seed ? "" : "other --label or --seed?");
    }
    return files;
  }

 private:
  // Made when it is first asked for; of a task that cannot be chosen for, the problem is said once.
  const Choice& choice_of(const std::string& task) {
    const auto [entry, first] = chosen_.try_emplace(task);
    if (first) {
      entry->second = choose(task, candidates_of(runs_, task, options_), options_.best);
    }
    return entry->second;
  }

  // The run's prediction file for `file`; empty when it has none.
  static fs::path predictions(const Choice& choice, const std::string& task,
                              const LeaderboardFile& file) {
    if (!choice.run) return {};
    const fs::path path = fs::path(text_of(*choice.run, "folder")) / "predictions" /
                          fmt::format("{}-{}.tsv", task, file.split);
    return is_there(path) ? path : fs::path();
  }

  SubmissionFile make_file(const LeaderboardFile& file) {
    std::vector<std::string> tasks{file.task};
    if (file.split == "diagnostic") tasks.emplace_back(kDiagnostic);
    for (const auto& task : tasks) {
      const Choice& choice = choice_of(task);
      const fs::path path = predictions(choice, task, file);
      if (path.empty()) continue;
      check_files(text_of(*choice.run, "folder"), choice.run->value("files", json()),
                  "predictions/" + path.filename().string());
      ++used_;
      return {file.name, leaderboard_text(file, path, options_.any_size),
              text_of(*choice.run, "folder") + choice.remark};
    }
    const Choice& choice = choice_of(file.task);
    const std::string why = choice.run ? fmt::format("{} has no predictions of {}",
                                                     text_of(*choice.run, "folder"), file.split)
                                       : "no run of " + file.task;
    return {file.name, filled_text(file),
            fmt::format("filled with {} ({} rows): {}", fill_value(file), file.rows, why)};
  }

  const std::vector<json>& runs_;
  const SubmissionOptions& options_;
  std::map<std::string, Choice> chosen_;  // by task
  Problems problems_;
  int used_ = 0;  // files that come from runs
};

}  // namespace

std::vector<SubmissionFile> make_submission(const std::vector<json>& runs,
                                            const SubmissionOptions& options) {
  return Submission(runs, options).make();
}

}  // namespace kdbench
