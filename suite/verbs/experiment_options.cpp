// SPDX-License-Identifier: MIT
#include "suite/verbs/experiment_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "io/base/look.h"
#include "io/base/sha256.h"
#include "reports/comparison.h"
#include "reports/run_fields.h"
#include "suite/machine/provenance.h"
#include "suite/machine/self_check.h"

namespace kdbench {

void add_experiment_options(CLI::App& app, ExperimentOptions& options) {
  app.add_option("EXPERIMENT", options.experiment, "experiment file (TOML)")->required();
  app.add_option("--set", options.overrides,
                 "override a key: train.epochs=2, method.<label>.alpha=0.5")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_session_options(app, options.session);
}

void add_selection_options(CLI::App& app, ExperimentOptions& options) {
  const auto add_list = [&](const char* flag, auto& list, const char* help) {
    app.add_option(flag, list, help)
        ->delimiter(',')
        ->expected(1)  // what follows may be the experiment file
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  add_list("--tasks", options.selection.tasks, "only these tasks, e.g. MRPC,SST-2");
  add_list("--seeds", options.selection.seeds, "only these seeds, e.g. 1,2");
}

void add_method_option(CLI::App& app, ExperimentOptions& options) {
  app.add_option(
         "--method", options.selection.methods,
         "only the method with this label (a grid's label: all its points); may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_force_option(CLI::App& app, ExperimentOptions& options) {
  app.add_flag("--force", options.force,
               "make the selected runs and all that they need again: what is there is removed, and "
               "no other job may use this --out meanwhile");
}

Existing existing(const ExperimentOptions& options) {
  return options.force ? Existing::kReplace : Existing::kReuse;
}

Experiment load_selected(const ExperimentOptions& options, const VerbContext& context,
                         ExperimentPart part) {
  Experiment experiment;
  context.control.agree([&] {
    experiment =
        load_experiment(options.experiment, options.overrides, part, options.selection.tasks);
    check_selection(options.selection, experiment, part);
  });
  require_same(context.control, json_hash(experiment.to_json()), experiment.file.string(),
               "experiment", "is the file the same on all hosts, and the working folder?");
  return experiment;
}

namespace {

// A run's key holds its inputs, not the code: a change of the program does not make it again.
std::string other_commits(const std::vector<nlohmann::json>& runs) {
  const std::string own = build_provenance().at("git").at("commit");
  std::set<std::string> others;
  size_t count = 0;
  for (const auto& run : runs) {
    const std::string commit = text_of(run, "git/commit");
    if (commit.empty() || commit == own) continue;
    others.insert(commit.substr(0, 10));
    ++count;
  }
  if (count == 0) return "";
  return fmt::format(
      "note: {} of these {} runs are of another commit of kdbench ({}; this is {}); --force makes "
      "them again with this one\n",
      count, runs.size(), fmt::join(others, ", "), own.substr(0, 10));
}

// What a program needs to go on: which runs there are, where, and how they ended.
nlohmann::json run_list(const std::vector<nlohmann::json>& runs) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& run : runs) {
    nlohmann::json entry = nlohmann::json::object();
    for (const char* key : {"run_id", "task", "label", "role", "seed", "status", "reason"}) {
      entry[key] = run.value(key, nlohmann::json());
    }
    const std::filesystem::path folder = text_of(run, "folder");
    entry["folder"] = folder.string();
    const auto model = (folder / run.value("model", "model")).lexically_normal();
    if (is_folder(model)) entry["model"] = model.string();
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace

nlohmann::json runs_json(const ExperimentRuns& result, const std::vector<nlohmann::json>& runs) {
  nlohmann::json json = summary_json(runs);
  json["experiment"] = result.folder.filename().string();
  json["folder"] = result.folder.string();
  json["done"] = result.done;
  json["reused"] = result.reused;
  json["failed"] = result.failed;
  json["runs"] = run_list(runs);
  return json;
}

ExitCode finish_experiment(const ExperimentRuns& made, const VerbContext& context,
                           const std::string& counted) {
  ExperimentRuns result = made;
  context.control.on_root([&] {
    // Another job with --force may have removed what this one took as done.
    const auto gone = std::stable_partition(result.runs.begin(), result.runs.end(),
                                            [](const auto& folder) { return is_folder(folder); });
    for (auto run = gone; run != result.runs.end(); ++run) {
      context.answer.text("note: gone meanwhile, by another job with --force? " + run->string() +
                          "\n");
    }
    result.runs.erase(gone, result.runs.end());
    std::vector<nlohmann::json> runs;
    if (!result.runs.empty()) runs = read_runs(result.runs);
    const std::string table = runs.empty() ? "" : write_summary(runs) + "\n";
    context.answer.text(fmt::format("{}{} {} done, {} reused, {} failed; results in {}\n{}", table,
                                    result.done, counted, result.reused, result.failed,
                                    result.folder.string(), other_commits(runs)));
    context.answer.data.update(runs_json(result, runs));
  });
  return result.failed > 0 ? ExitCode::kRunFailed : ExitCode::kDone;
}

}  // namespace kdbench
