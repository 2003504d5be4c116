// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <memory>

#include "io/base/look.h"
#include "io/base/partial_file.h"
#include "suite/machine/stopwatch.h"
#include "suite/transfer/rule_set.h"
#include "suite/verbs/own_tasks.h"
#include "suite/verbs/registry.h"

namespace kdbench {
namespace {

struct AugmentOptions {
  std::string data, task, file, out;
  std::vector<std::string> columns;
  int64_t train_limit = 0;
  RuleSettings rules;
  OwnTaskOptions own;
};

// The rows that are read, and the layout of those that are written.
struct AugmentSource {
  Task task;  // of --columns: one that has nothing but them
  FileLayout in, out;

  bool pair() const { return !in.names.text_b.empty() || in.text_b >= 0; }
};

AugmentSource source_of_columns(const AugmentOptions& options) {
  const auto& names = options.columns;
  const bool pair = names.size() == 2;
  if (names.size() > 2 || names.front().empty() || (pair && names[0] == names[1]))
    throw_user_error("--columns", "expected the name of one column, or of two");
  const Columns columns{names[0], pair ? names[1] : "", ""};
  AugmentSource source;
  source.task.name = "rows";
  source.in.names = columns;
  source.out = set_layout(columns);
  return source;
}

AugmentSource source_of_task(const AugmentOptions& options) {
  AugmentSource source;
  source.task = find_task(options.task, options.own.tasks);
  source.out = set_layout(source.task);
  if (options.file.empty()) {
    source.in = source.task.split(kTrainSplit).layout;
  } else {
    source.in.names = {source.out.names.text_a, source.out.names.text_b, ""};
  }
  return source;
}

AugmentSource augment_source(const AugmentOptions& options) {
  if (options.data.empty() == options.file.empty())
    throw_user_error("augment", "which rows?",
                     "--data FOLDER --task TASK, or --file FILE with --task or --columns");
  if (!options.columns.empty() && (options.file.empty() || !options.task.empty()))
    throw_user_error("--columns", "is of --file without --task, whose columns are known");
  if (!options.columns.empty()) return source_of_columns(options);
  if (options.task.empty())
    throw_user_error("--task", "which task?", "or --columns NAME[,NAME] of --file");
  return source_of_task(options);
}

GlueFile read_source(const AugmentOptions& options, const AugmentSource& source) {
  if (options.file.empty())
    return read_glue(options.data, source.task, kTrainSplit, options.train_limit);
  if (!is_there(options.file)) throw_user_error(options.file, "the file does not exist");
  return read_rows(options.file, source.task, source.in, options.train_limit);
}

// Reads the rows and finds all that is wrong. Local.
AugmentSource check_augment(AugmentOptions& options, GlueFile& rows) {
  AugmentSource source;
  Problems problems;
  read_own_tasks(options.own, problems);
  problems.collect([&] {
    source = augment_source(options);
    check_text_rules(options.rules.set.rules, source.pair(), problems);
    rows = read_source(options, source);
  });
  check_tagger_source(options.rules.tagger, problems);
  problems.collect([&] {
    if (is_there(options.out))
      throw_user_error("--out " + options.out, "is already there", "results are never overwritten");
  });
  problems.throw_if_any("augment");
  return source;
}

int64_t count(const std::array<int64_t, kVariations>& counts, Variation variation) {
  return counts[static_cast<size_t>(variation)];
}

std::string sides_text(const std::array<int64_t, kVariations>& counts) {
  const auto a = count(counts, Variation::kOnlyA), b = count(counts, Variation::kOnlyB),
             both = count(counts, Variation::kBoth);
  const double all = std::max<double>(1, static_cast<double>(a + b + both));
  const auto percent = [&](int64_t n) { return 100 * static_cast<double>(n) / all; };
  return fmt::format("only a {:.1f} %, only b {:.1f} %, both {:.1f} %", percent(a), percent(b),
                     percent(both));
}

std::string counts_text(const TransferCounts& counts, bool pair) {
  std::string text = fmt::format("rows in {}, rows out {}", counts.rows_in, counts.rows_out);
  if (counts.originals > 0) text += fmt::format(" ({} of them originals)", counts.originals);
  text += fmt::format(", duplicates dropped {}", counts.duplicates);
  const auto drawn = [&](Variation v) { return count(counts.drawn, v); };
  if (drawn(Variation::kAllReplaced) > 0)
    text += fmt::format(", with no word left {}", drawn(Variation::kAllReplaced));
  if (drawn(Variation::kBlank) > 0)
    text += fmt::format(", with a blank side {}", drawn(Variation::kBlank));
  if (drawn(Variation::kEnded) > 0)
    text += fmt::format(", rows ended by a window {}", drawn(Variation::kEnded));
  text += "\n";
  if (pair)
    text += "varied: " + sides_text(counts.drawn) +
            "; of the rows out: " + sides_text(counts.written) + "\n";
  return text;
}

ExitCode augment(AugmentOptions options, const VerbContext& context) {
  const auto start = std::chrono::steady_clock::now();
  GlueFile rows;
  AugmentSource from;
  context.control.agree([&] { from = check_augment(options, rows); });
  const auto out = plain_path(options.out);
  context.control.on_root([&] { make_folder_of(out); });
  const RuleSet made =
      write_rule_set(std::move(rows), from.pair(), options.rules, from.out, out, context.control);
  context.control.on_root([&] {
    const double seconds = seconds_since(start);
    const TransferCounts& counts = made.counts;
    context.answer.text(counts_text(counts, from.pair()));
    if (made.left_out > 0)
      context.answer.text(fmt::format("left out as cells are missing: {}\n", made.left_out));
    context.answer.text(fmt::format("parts of speech: {}; {} tags, {} words\n", made.tagger,
                                    made.tags, made.words));
    context.answer.text(fmt::format("{}: {} rows in {:.1f} s ({:.0f} rows/s)\n", options.out,
                                    counts.rows_out, seconds,
                                    static_cast<double>(counts.rows_out) / seconds));
    nlohmann::json& set = context.answer.data["transfer_set"];
    set = to_json(made, from.pair());
    set.update({{"file", options.out},
                {"task", options.task},
                {"rules", rules_json(options.rules.set, from.pair())},
                {"seconds", seconds}});
  });
  return ExitCode::kDone;
}

// Every rule key is a flag.
void add_rule_options(CLI::App& app, RuleSettings& rules) {
  for (const auto& key : rule_keys()) {
    const std::string flag = flag_of(key.spec.name), &meaning = key.spec.meaning;
    std::visit(
        [&](auto member) {
          auto& value = member(rules);
          using T = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<T, bool>) {
            app.add_flag(flag, value, meaning);
          } else {
            auto* option = app.add_option(flag, value, meaning);
            if (key.spec.absent.empty()) option->capture_default_str();
            if constexpr (std::is_same_v<T, std::vector<int64_t>> ||
                          std::is_same_v<T, std::vector<std::filesystem::path>>)
              option->delimiter(',');
          }
        },
        key.member);
  }
  app.add_option("--save-tagger", rules.tagger.save, "leave the trained tagger in this new folder");
}

}  // namespace

Verb augment_verb() {
  return {"augment", "d-lite's transfer set: variations of training rows by rules",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<AugmentOptions>();
            app.add_option("--data", options->data, "GLUE folder: <TASK>/train.tsv");
            app.add_option("--task", options->task, "e.g. SST-2: which columns are texts");
            app.add_option("--file", options->file,
                           "instead of --data: rows of any file whose header names the columns");
            app.add_option("--columns", options->columns,
                           "of --file without --task: the text's column, or the two of pairs")
                ->delimiter(',');
            app.add_option("--train-limit", options->train_limit, "first N rows; 0: all")
                ->check(CLI::NonNegativeNumber);
            app.add_option("--out", options->out, "the set to write (.tsv)")->required();
            add_rule_options(app, options->rules);
            add_own_task_options(app, options->own);
            app.footer(
                "The set has the columns of the task's test rows: as <TASK>/test.tsv of a folder "
                "it goes to predict or export, whose logits join adds.");
            return [options](const VerbContext& context) { return augment(*options, context); };
          }};
}

}  // namespace kdbench
