// SPDX-License-Identifier: MIT
#include "suite/verbs/text_source.h"

#include "io/base/error.h"
#include "io/base/look.h"
#include "suite/transfer/set_file.h"

namespace kdbench {
namespace {

TextSource source_of_columns(const TextSourceOptions& options) {
  const auto& names = options.columns;
  const bool pair = names.size() == 2;
  if (names.size() > 2 || names.front().empty() || (pair && names[0] == names[1]))
    throw_user_error("--columns", "expected the name of one column, or of two");
  const Columns columns{names[0], pair ? names[1] : "", ""};
  TextSource source;
  source.task.name = "rows";
  source.in.names = columns;
  source.out = set_layout(columns);
  return source;
}

TextSource source_of_task(const TextSourceOptions& options) {
  TextSource source;
  source.task = find_task(options.task, options.own.tasks);
  source.out = set_layout(source.task);
  if (options.file.empty()) {
    source.in = source.task.split(kTrainSplit).layout;
  } else {
    source.in.names = {source.out.names.text_a, source.out.names.text_b, ""};
  }
  return source;
}

}  // namespace

TextSource text_source_of(const TextSourceOptions& options) {
  if (options.data.empty() == options.file.empty())
    throw_user_error("rows", "which rows?",
                     "--data FOLDER --task TASK, or --file FILE with --task or --columns");
  if (!options.columns.empty() && (options.file.empty() || !options.task.empty()))
    throw_user_error("--columns", "is of --file without --task, whose columns are known");
  if (!options.columns.empty()) return source_of_columns(options);
  if (options.task.empty())
    throw_user_error("--task", "which task?", "or --columns NAME[,NAME] of --file");
  return source_of_task(options);
}

GlueFile read_source(const TextSourceOptions& options, const TextSource& source) {
  if (options.file.empty())
    return read_glue(options.data, source.task, kTrainSplit, options.train_limit);
  if (!is_there(options.file)) throw_user_error(options.file, "the file does not exist");
  return read_rows(options.file, source.task, source.in, options.train_limit);
}

void add_text_source_options(CLI::App& app, TextSourceOptions& options) {
  app.add_option("--data", options.data, "GLUE folder: <TASK>/train.tsv");
  app.add_option("--task", options.task, "e.g. SST-2: which columns are texts");
  app.add_option("--file", options.file,
                 "instead of --data: rows of any file whose header names the columns");
  app.add_option("--columns", options.columns,
                 "of --file without --task: the text's column, or the two of pairs")
      ->delimiter(',');
  app.add_option("--train-limit", options.train_limit, "first N rows; 0: all")
      ->check(CLI::NonNegativeNumber);
  add_own_task_options(app, options.own);
}

}  // namespace kdbench
