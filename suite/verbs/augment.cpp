// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <memory>

#include "io/base/look.h"
#include "io/base/partial_file.h"
#include "suite/machine/stopwatch.h"
#include "suite/transfer/rule_set.h"
#include "suite/verbs/key_flags.h"
#include "suite/verbs/registry.h"
#include "suite/verbs/text_source.h"

namespace kdbench {
namespace {

struct AugmentOptions {
  TextSourceOptions source;
  std::string out;
  RuleSettings rules;
};

// Reads the rows and finds all that is wrong. Local.
TextSource check_augment(AugmentOptions& options, GlueFile& rows) {
  TextSource source;
  Problems problems;
  read_own_tasks(options.source.own, problems);
  problems.collect([&] {
    source = text_source_of(options.source);
    check_text_rules(options.rules.set.rules, source.pair(), problems);
    rows = read_source(options.source, source);
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
  TextSource from;
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
                {"task", options.source.task},
                {"rules", rules_json(options.rules.set, from.pair())},
                {"seconds", seconds}});
  });
  return ExitCode::kDone;
}

void add_rule_options(CLI::App& app, RuleSettings& rules) {
  add_key_flags(app, rule_keys(), rules);
  app.add_option("--save-tagger", rules.tagger.save, "leave the trained tagger in this new folder");
}

}  // namespace

Verb augment_verb() {
  return {"augment", "d-lite's transfer set: variations of training rows by rules",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<AugmentOptions>();
            add_text_source_options(app, options->source);
            app.add_option("--out", options->out, "the set to write (.tsv)")->required();
            add_rule_options(app, options->rules);
            app.footer(
                "The set has the columns of the task's test rows: as <TASK>/test.tsv of a folder "
                "it goes to predict or export, whose logits join adds.");
            return [options](const VerbContext& context) { return augment(*options, context); };
          }};
}

}  // namespace kdbench
