// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "io/base/look.h"
#include "io/base/partial_file.h"
#include "io/base/text.h"
#include "suite/config/selection.h"
#include "suite/machine/child_process.h"
#include "suite/scaling/launch.h"
#include "suite/scaling/scaling_study.h"
#include "suite/verbs/registry.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

struct ScaleOptions {
  std::string experiment, task, method, mode = "strong", out = "results";
  std::vector<std::string> overrides;
  ScalingSettings settings;
  std::optional<int64_t> seed;
  int threads = 0;
  bool quiet = false;
};

// The one training that is studied.
struct Studied {
  std::string experiment, task, method;
  std::string keys;  // the label that --set knows the method by: a grid's points share one
  int64_t seed = 1, batch = 0;
};

// Those that are named, else the experiment's first.
Studied find_training(const ScaleOptions& options) {
  Selection selection;
  if (!options.task.empty()) selection.tasks = {options.task};
  if (!options.method.empty()) selection.methods = {options.method};
  if (options.seed) selection.seeds = {*options.seed};
  const Experiment experiment =
      load_experiment(options.experiment, options.overrides, ExperimentPart::kAll, selection.tasks);
  check_selection(selection, experiment);
  Studied studied;
  studied.experiment = experiment.name;
  studied.task = selected_tasks(selection, experiment).front();
  const MethodSettings& method = *selected_methods(selection, experiment).front();
  studied.method = method.label;
  studied.keys = method.grid.empty() ? method.label : method.grid;
  studied.seed = selected_seeds(selection, experiment, studied.task, method).front();
  studied.batch = experiment.train_of(studied.task, method).batch_size;
  return studied;
}

void check_ranks(const ScaleOptions& options, const Studied& studied, Problems& problems) {
  const auto& ranks = options.settings.ranks;
  if (std::adjacent_find(ranks.begin(), ranks.end(), std::greater_equal<>()) != ranks.end())
    problems.add("--ranks", "expected numbers that grow, such as 1,2,4");
  if (options.settings.mode != ScalingMode::kWeak) return;
  for (const int number : ranks) {
    if (studied.batch * number % ranks.front() == 0) continue;
    problems.add("--ranks", fmt::format("a batch of {} rows on {} ranks is no whole number on {}",
                                        studied.batch, ranks.front(), number));
  }
}

// Everything but the ranks, the batch and where the run goes.
std::vector<std::string> command_of(const ScaleOptions& options, const Studied& studied) {
  std::vector<std::string> words{program_path().string(), "distill", options.experiment, "--quiet"};
  const auto add = [&](const std::string& flag, const std::string& value) {
    words.push_back(flag);
    words.push_back(value);
  };
  for (const auto& set : options.overrides) add("--set", set);
  add("--tasks", studied.task);
  add("--method", studied.method);
  add("--seeds", std::to_string(studied.seed));
  if (options.threads > 0) add("--threads", std::to_string(options.threads));
  return words;
}

std::string certainty(const ScalingStudy& study, const ScalingSettings& settings) {
  const std::string asked = fmt::format("{:.1f} %", 100 * settings.precision);
  if (study.precise)
    return fmt::format("Every median is certain to {} after {} rounds.", asked, study.rounds);
  return fmt::format("Not every median is certain to {} after {} rounds: {}.", asked, study.rounds,
                     study.out_of_budget ? "the time of --budget is spent"
                                         : "more --rounds, or a quieter machine, would help");
}

void finish(const ScaleOptions& options, const Studied& studied, const ScalingStudy& study,
            const fs::path& folder, Answer& answer) {
  Table table = scaling_table(scaling_points(study.runs), options.settings.mode);
  table.title += fmt::format(": {}, {}, seed {}", studied.task, studied.method, studied.seed);
  table.notes.push_back(certainty(study, options.settings));
  if (!study.failure.empty()) table.notes.push_back("Not all rounds: " + study.failure);
  nlohmann::json& json = answer.data["scaling"];
  json = write_json(table);
  json.update({{"experiment", studied.experiment},
               {"task", studied.task},
               {"method", studied.method},
               {"seed", studied.seed},
               {"mode", options.mode},
               {"rounds", study.rounds},
               {"precise", study.precise},
               {"failure", study.failure},
               {"launcher", options.settings.launcher},
               {"system", study.runs.front().system},
               {"folder", folder.string()}});
  write_file(folder / "scaling.json", json.dump(2) + "\n");
  write_file(folder / "scaling.csv", write_csv(table));
  write_file(folder / "scaling.md", write_markdown(table));
  answer.text(fmt::format("{}\nresults in {}\n", write_console(table), folder.string()));
}

ExitCode scale(ScaleOptions options, Answer& answer) {
  options.settings.mode = options.mode == "weak" ? ScalingMode::kWeak : ScalingMode::kStrong;
  const Studied studied = find_training(options);
  Problems problems;
  check_ranks(options, studied, problems);
  problems.collect([&] { launcher_words(options.settings.launcher, 1); });
  const fs::path out = fs::absolute(options.out);
  const fs::path folder = out / (studied.experiment + "-scaling") /
                          fmt::format("{}-{}-{}", studied.task, studied.method, options.mode);
  if (is_there(folder)) {
    problems.add(folder.string(), "is already there",
                 "results are never overwritten: remove it, or choose another --out");
  }
  problems.throw_if_any("scale");
  fs::create_directories(folder);
  options.settings.batch = studied.batch;
  options.settings.method = studied.keys;
  options.settings.command = command_of(options, studied);
  options.settings.stages = out / ".stages";
  const ScalingStudy study =
      make_scaling_study(options.settings, folder / ".runs", [&](const std::string& line) {
        if (!options.quiet) fmt::print(stderr, "kdbench: {}\n", line);
      });
  finish(options, studied, study, folder, answer);
  return study.failure.empty() ? ExitCode::kDone : ExitCode::kRunFailed;
}

}  // namespace

Verb scale_verb() {
  return {
      "scale", "A scaling study: one training of an experiment on several numbers of ranks",
      [](CLI::App& app) -> VerbAction {
        auto options = std::make_shared<ScaleOptions>();
        ScalingSettings& settings = options->settings;
        app.add_option("EXPERIMENT", options->experiment, "experiment file (TOML)")->required();
        app.add_option("--set", options->overrides, "override a key, as of run")
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        app.add_option("--ranks", settings.ranks, "numbers of ranks, e.g. 1,2,4")
            ->required()
            ->delimiter(',')
            ->check(CLI::PositiveNumber);
        app.add_option("--mode", options->mode,
                       "strong: ranks share the batch; weak: the batch grows with them")
            ->check(CLI::IsMember({"strong", "weak"}))
            ->capture_default_str();
        app.add_option("--task", options->task, "default: the experiment's first");
        app.add_option("--method", options->method, "a label; default: the experiment's first");
        app.add_option("--seed", options->seed, "default: the experiment's first");
        app.add_option("--rounds", settings.most_rounds,
                       "at most so many runs on each number of ranks")
            ->check(CLI::PositiveNumber)
            ->capture_default_str();
        app.add_option("--precision", settings.precision,
                       "no more rounds once half of each median's 95 % interval is this part of it")
            ->check(CLI::PositiveNumber)
            ->capture_default_str();
        app.add_option("--budget", settings.budget_s,
                       "seconds; no further round begins that would end later; 0: none")
            ->check(CLI::NonNegativeNumber)
            ->capture_default_str();
        app.add_option("--launcher", settings.launcher,
                       "what starts the ranks, e.g. \"srun --mpi=pmix --ntasks={ranks}\"")
            ->capture_default_str();
        app.add_option("--threads", options->threads, "per rank; 0: the rank's part of the cores")
            ->check(CLI::NonNegativeNumber);
        app.add_option("--out", options->out, "folder of the results")->capture_default_str();
        app.add_flag("--quiet", options->quiet, "nothing on stderr but errors");
        app.footer(
            "It starts the launcher itself: call it without mpirun. What the training needs "
            "(rows, teacher, its outputs) is made once, or taken from this --out.");
        return [options](const VerbContext& context) {
          ExitCode code = ExitCode::kDone;
          context.control.on_root([&] { code = scale(*options, context.answer); });
          return code;
        };
      },
      /*alone=*/true};
}

}  // namespace kdbench
