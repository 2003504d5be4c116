// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "io/base/look.h"
#include "io/base/partial_file.h"
#include "io/base/zip_file.h"
#include "reports/run_files.h"
#include "suite/results/submission.h"
#include "suite/verbs/registry.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kArchive = "submission.zip";  // in a folder

struct GlueZipOptions {
  std::vector<std::string> results;
  std::string out;
  SubmissionOptions submission;
};

ZipEntries entries_of(const std::vector<SubmissionFile>& files) {
  ZipEntries entries;
  for (const auto& file : files) entries.emplace_back(file.name, file.content);
  return entries;
}

// The files and the archive in a folder that appears whole.
void write_folder(const fs::path& folder, const ZipEntries& entries) {
  const fs::path partial = partial_path(folder);
  std::error_code failed;
  fs::remove_all(partial, failed);
  make_folder_of(partial / kArchive);
  for (const auto& [name, content] : entries) {
    write_file(partial / name, content);
  }
  write_zip(partial / kArchive, entries);
  fs::rename(partial, folder, failed);
  if (failed) throw_machine_error(folder.string(), "cannot be put in place: " + failed.message());
}

void write_submission(const GlueZipOptions& options, Answer& answer) {
  const fs::path out = plain_path(options.out);
  if (is_there(out)) {
    throw_user_error("--out " + options.out, "is already there", "results are never overwritten");
  }
  const auto runs = read_runs({options.results.begin(), options.results.end()});
  const auto files = make_submission(runs, options.submission);
  const bool archive_only = out.extension() == ".zip";
  if (archive_only) {
    make_folder_of(out);
    write_zip(out, entries_of(files));
  } else {
    write_folder(out, entries_of(files));
  }
  const std::string archive = (archive_only ? out : out / kArchive).string();
  answer.data["archive"] = archive;
  for (const auto& file : files) {
    answer.text(fmt::format("{:<11}  {}\n", file.name, file.origin));
    answer.data["files"].push_back({{"name", file.name}, {"origin", file.origin}});
  }
  answer.text(fmt::format("submission in {}\n", archive));
}

}  // namespace

Verb glue_zip_verb() {
  return {"glue-zip", "GLUE's leaderboard files and their zip from the test predictions of runs",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<GlueZipOptions>();
            app.add_option("RESULTS", options->results,
                           "folders of runs, of experiments, or of kdbench predict: one run a task")
                ->required();
            app.add_option("--out", options->out,
                           "an archive (NAME.zip), or a folder for the files and submission.zip")
                ->required();
            SubmissionOptions& choice = options->submission;
            app.add_option("--label", choice.label, "only runs of this method label");
            app.add_option("--seed", choice.seed, "only runs of this seed");
            app.add_flag("--best", choice.best, "of several runs of a task, the best by dev score");
            app.add_flag("--any-size", choice.any_size,
                         "accept test sets of other sizes: such a file cannot be submitted");
            app.footer("Files of tasks without a run are filled with a constant, which is said.");
            return [options](const VerbContext& context) {
              context.control.on_root([&] { write_submission(*options, context.answer); });
              return ExitCode::kDone;
            };
          },
          /*alone=*/true};
}

}  // namespace kdbench
