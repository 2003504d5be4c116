// SPDX-License-Identifier: MIT
#include "reports/report.h"

#include <fmt/format.h>

#include "reports/comparison.h"
#include "reports/run_fields.h"
#include "reports/run_files.h"
#include "suite/machine/provenance.h"
#include "suite/results/run_record.h"
#include "suite/verbs/registry.h"

namespace kdbench {
namespace {

struct ReportOptions {
  std::vector<std::string> results;
  std::string out;
};

ReportMaker this_program(const std::string& command) {
  const auto build = build_provenance();
  return {fmt::format("kdbench {}, commit {}", build.at("version").get<std::string>(),
                      build.at("git").at("commit").get<std::string>()),
          command, utc_now()};
}

// On stderr, too: the tables may be long.
ExitCode warn_of_damaged(const std::vector<nlohmann::json>& runs) {
  ExitCode code = ExitCode::kDone;
  for (const auto& run : runs) {
    if (text_of(run, "status") != kDamaged) continue;
    fmt::print(stderr, "kdbench: not in the tables: {}: {}\n", text_of(run, "folder"),
               text_of(run, "reason"));
    code = ExitCode::kRunFailed;
  }
  return code;
}

ExitCode report(const ReportOptions& options, const VerbContext& context) {
  check_report_folder(options.out);
  const auto runs = read_runs({options.results.begin(), options.results.end()}, LostRecords::kList);
  const auto folder = write_report(runs, options.out, this_program(context.command));
  context.answer.text(fmt::format("{}\nreport in {}\n", write_summary(runs), folder.string()));
  context.answer.data.update(summary_json(runs));
  context.answer.data["report"] = folder.string();
  return warn_of_damaged(runs);
}

}  // namespace

Verb report_verb() {
  return {"report", "Tables (Markdown and CSV) from result folders; reads only",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<ReportOptions>();
            app.add_option("RESULTS", options->results,
                           "folders of runs, of experiments, or output folders of kdbench run")
                ->required();
            app.add_option("--out", options->out,
                           "the report's folder; an earlier report is replaced")
                ->required();
            return [options](const VerbContext& context) {
              ExitCode code = ExitCode::kDone;
              context.control.on_root([&] { code = report(*options, context); });
              return code;
            };
          },
          /*alone=*/true};
}

}  // namespace kdbench
