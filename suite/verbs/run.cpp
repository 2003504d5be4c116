// SPDX-License-Identifier: MIT
#include "suite/verbs/run.h"

#include <fmt/core.h>

#include "reports/comparison.h"
#include "suite/session.h"
#include "suite/stages/pipeline.h"

namespace kdbench {
namespace {

struct RunOptions {
  std::string experiment;
  std::vector<std::string> overrides;
  SessionOptions session;
  bool dry_run = false;
  int ranks = 0;
};

void print_table(const PipelineResult& result) {
  fmt::print("{}", write_summary(read_runs(result.runs)));
  fmt::print("\n{} runs done, {} reused, {} failed; results in {}\n", result.done, result.reused,
             result.failed, result.folder.string());
}

ExitCode run(const RunOptions& options, const VerbContext& context) {
  Experiment experiment;
  context.control.agree([&] {
    if (options.dry_run || options.ranks) throw_user_error("--dry-run", "not available yet");
    experiment = load_experiment(options.experiment, options.overrides);
  });
  const Session session(options.session, context);
  const PipelineResult result = run_experiment(experiment, session.workspace());
  context.control.on_root([&] { print_table(result); });
  return result.failed > 0 ? ExitCode::kRunFailed : ExitCode::kDone;
}

}  // namespace

Verb run_verb() {
  return {"run",
          "Every task x method x seed of an experiment through all its stages, then the comparison "
          "table",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<RunOptions>();
            app.add_option("experiment", options->experiment, "experiment file (TOML)")->required();
            app.add_option("--set", options->overrides,
                           "override a key: train.epochs=2, method.<label>.alpha=0.5")
                ->expected(1)
                ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
            app.add_flag("--dry-run", options->dry_run, "(not available yet)");
            app.add_option("--ranks", options->ranks, "of --dry-run (not available yet)");
            add_session_options(app, options->session);
            return [options](const VerbContext& context) { return run(*options, context); };
          }};
}

}  // namespace kdbench
