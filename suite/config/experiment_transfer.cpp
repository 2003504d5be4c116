// SPDX-License-Identifier: MIT
// [transfer]: where the rows come from that students learn from without labels.
#include <algorithm>

#include "io/base/look.h"
#include "suite/config/experiment_keys.h"
#include "suite/config/experiment_reader.h"
#include "suite/config/option_reader.h"
#include "suite/models/initial_model.h"

namespace kdbench {
namespace {

void check_rules(TableReader& table, const RuleSettings& rules, const Experiment& experiment) {
  const auto name = [&](const std::string& key) {
    return table.place(key) + ": " + table.key(key);
  };
  const auto& tasks = experiment.data.tasks;
  const bool any_pair = std::any_of(tasks.begin(), tasks.end(), [&](const std::string& task) {
    return experiment.task(task).pair();
  });
  const bool all_pairs = std::all_of(tasks.begin(), tasks.end(), [&](const std::string& task) {
    return experiment.task(task).pair();
  });
  TextRules checked = rules.set.rules;
  if (any_pair) checked.single_only_prob = TextRules().single_only_prob;  // some task takes it
  check_text_rules(checked, all_pairs, table.problems(), name);
  check_tagger_source(rules.tagger, table.problems(), name);
}

// Keys without an effect would look as if they had one.
template <typename Keys>
void check_none(TableReader& table, const Keys& keys, const std::string& what) {
  for (const auto& key : keys) {
    if (table.has(key.spec.name)) table.problem(key.spec.name, what, "leave it out");
  }
}

// What means something to language models of one kind alone.
void check_kind_of_model(TableReader& table, TransferSettings& transfer) {
  LanguageSettings& language = transfer.language;
  language.fills_masks = architecture_of(transfer.model->model).fills_masks;
  const auto refuse = [&](const auto& keys, const std::string& what) {
    for (const char* name : keys) {
      if (table.has(name)) table.problem(name, what, "leave it out");
    }
  };
  if (language.fills_masks) {
    refuse(kLeftToRightKeys, "is of language models that go from left to right");
    language.texts.split_encode = false;
  } else {
    refuse(kInfillKeys, "is of language models that fill masks, as bert");
  }
}

void check_file(TableReader& table, const TransferSettings& transfer,
                const Experiment& experiment) {
  table.collect("kind", [&] {
    const auto& path = *transfer.file;
    if (is_folder(path)) {
      for (const auto& task : experiment.data.tasks) {
        if (!is_file(path / (task + ".tsv")))
          table.problem("kind", "no file " + (path / (task + ".tsv")).string());
      }
    } else if (!is_file(path)) {
      table.problem("kind", "no file or folder " + path.string(),
                    "expected \"rules\", a file of rows, or a folder of <TASK>.tsv");
    } else if (experiment.data.tasks.size() > 1) {
      table.problem("kind", "one file, but several tasks", "a folder of <TASK>.tsv");
    }
  });
}

}  // namespace

TransferSettings read_transfer(TableReader table, const Experiment& experiment, BaseModel& base) {
  TransferSettings transfer;
  const size_t before = table.problems().lines().size();
  OptionValues values = read_options(transfer_keys(), table);
  take(values, "kind", transfer.kind);
  take(values, "labels", transfer.labels);
  if (!table.has("kind"))
    table.problem("kind", "is missing", "\"rules\", \"language-model\", or a file of rows");
  if (std::filesystem::path(transfer.kind).is_absolute()) {
    transfer.file = transfer.kind;
    transfer.kind = transfer_kind::kFile;
  }
  overlay(rule_keys(), values, transfer.rules);
  overlay(sample_keys(), values, transfer.language);
  overlay(text_keys(), values, transfer.language);
  if (table.has("model")) {
    transfer.model = read_language_model(table, experiment.data, base);
  } else if (transfer.kind == transfer_kind::kLanguageModel) {
    table.problem("model", "is missing", "add [transfer.model], as [teacher]");
  }
  if (table.problems().lines().size() == before) {
    if (transfer.file) check_file(table, transfer, experiment);
    if (transfer.kind == transfer_kind::kRules) {
      check_rules(table, transfer.rules, experiment);
    } else {
      check_none(table, rule_keys(), "is of kind = \"rules\"");
    }
    if (transfer.model) check_kind_of_model(table, transfer);
    for (const auto* keys : {&sample_keys(), &text_keys()}) {
      if (!transfer.model) check_none(table, *keys, "is of [transfer.model], which is not there");
    }
  }
  table.finish();
  return transfer;
}

}  // namespace kdbench
