// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "io/base/look.h"
#include "io/base/partial_file.h"
#include "suite/transfer/joined_set.h"
#include "suite/transfer/set_file.h"
#include "suite/verbs/own_tasks.h"
#include "suite/verbs/registry.h"

namespace kdbench {
namespace {

struct JoinOptions {
  std::string task, file, store, table, out;
  std::vector<std::string> label_order;
  OwnTaskOptions own;
};

// Everything but whether the logits are those of the rows.
const Task* check_join(JoinOptions& options, GlueFile& rows, Problems& problems) {
  const Task* task = nullptr;
  read_own_tasks(options.own, problems);
  problems.collect([&] {
    const Task& found = find_task(options.task, options.own.tasks);
    rows = read_rows(options.file, found, set_layout(found));
    task = &found;
  });
  if (options.store.empty() == options.table.empty())
    problems.add("join", "where are the logits?",
                 "--teacher-outputs (a store of export) or --logits (a file of predict)");
  if (!options.label_order.empty() && options.table.empty())
    problems.add("--label-order", "is of --logits", "a store knows its labels");
  problems.collect([&] {
    for (const auto& file : {options.store, options.table}) {
      if (!file.empty() && !is_there(file)) throw_user_error(file, "the file does not exist");
    }
  });
  problems.collect([&] {
    if (is_there(options.out))
      throw_user_error("--out " + options.out, "is already there", "results are never overwritten");
  });
  problems.throw_if_any("join");
  return task;
}

void join_logits(JoinOptions options, Answer& answer) {
  GlueFile rows;
  Problems problems;
  const Task& task = *check_join(options, rows, problems);
  const RowLogits logits = options.table.empty()
                               ? store_logits(options.store, rows, task)
                               : table_logits(options.table, rows, task, options.label_order);
  const auto out = plain_path(options.out);
  make_folder_of(out);
  write_joined_set(rows, logits, task, out);
  answer.text(fmt::format("{}: {} rows of {} with {}; order of the logits: {}\n", options.out,
                          rows.rows.size(), task.name,
                          task.regression() ? "a score" : fmt::format("{} logits", logits.classes),
                          logits.order_from));
  answer.data["joined"] = {{"file", options.out},        {"task", task.name},
                           {"rows", rows.rows.size()},   {"columns", joined_header(task)},
                           {"label_order", task.labels}, {"order_from", logits.order_from}};
}

}  // namespace

Verb join_verb() {
  return {"join", "A transfer set and a teacher's logits on it to one table",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<JoinOptions>();
            app.add_option("--file", options->file, "the rows, as augment writes them")->required();
            app.add_option("--task", options->task, "whose rows they are, e.g. SST-2")->required();
            app.add_option("--teacher-outputs", options->store,
                           "the teacher's store of export (.h5), made from this very file");
            app.add_option("--logits", options->table,
                           "or a -logits.tsv of predict, on this very file");
            app.add_option("--label-order", options->label_order,
                           "of --logits: the labels of logit0, logit1, ... where they are not in "
                           "the task's order")
                ->delimiter(',');
            app.add_option("--out", options->out, "the table to write (.tsv)")->required();
            add_own_task_options(app, options->own);
            app.footer(
                "Columns: the task's texts, its label (that of the largest logit; the score within "
                "its range), logits_0, logits_1, ... in the order of the task's labels.");
            return [options](const VerbContext& context) {
              context.control.on_root([&] { join_logits(*options, context.answer); });
              return ExitCode::kDone;
            };
          },
          /*alone=*/true};
}

}  // namespace kdbench
