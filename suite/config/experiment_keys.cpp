// SPDX-License-Identifier: MIT
#include "suite/config/experiment_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/tasks/task.h"
#include "methods/models/registry.h"
#include "suite/config/experiment.h"

namespace kdbench {
namespace {

// [CLS] a [SEP] b [SEP]
constexpr Range kRowLengths{.low = 5, .high = 1 << 20};

// A key whose default is `fallback`.
OptionSpec key(const char* name, OptionValue fallback, const char* meaning) {
  return {name, std::move(fallback), meaning, ""};
}

// A key without a default: `absent` says what holds without it.
OptionSpec key_or(const char* name, OptionValue type, const char* absent, const char* meaning) {
  OptionSpec spec = key(name, std::move(type), meaning);
  spec.absent = absent;
  return spec;
}

OptionSpec path(const char* name, const char* absent, const char* meaning) {
  OptionSpec spec = key_or(name, std::string(), absent, meaning);
  spec.path = true;
  return spec;
}

OptionSpec in(const Range& range, OptionSpec spec) {
  spec.range = range;
  return spec;
}

OptionSpec one_of(std::vector<std::string> choices, OptionSpec spec,
                  std::vector<std::string> planned = {}) {
  spec.choices = std::move(choices);
  spec.planned = std::move(planned);
  return spec;
}

OptionSpec row_length() {
  return in(kRowLengths, key("max_seq_length", DataSettings{}.max_seq_length,
                             "token ids of a row, with special ones; longer rows are cut"));
}

OptionSpec train_limit() {
  return in(at_least(0),
            key("train_limit", DataSettings{}.train_limit, "the first N training rows; 0: all"));
}

// The same key of one task.
OptionSpec of_task(OptionSpec spec) {
  spec.absent = "as in [data]";
  return spec;
}

std::vector<OptionSpec> together(std::vector<OptionSpec> keys,
                                 const std::vector<OptionSpec>& more) {
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

std::string sizes_text() {
  return fmt::format("sizes, of a model without weights: kdbench methods {}",
                     fmt::join(architecture_names(), " | "));
}

}  // namespace

const std::vector<OptionSpec>& experiment_keys() {
  static const std::vector<OptionSpec> keys{
      key_or("name", std::string(), "needed", "the folder below --out that results go to")};
  return keys;
}

const std::vector<OptionSpec>& data_keys() {
  static const std::vector<OptionSpec> keys{
      one_of({"synthetic"}, path("root", "needed",
                                 "folder with <TASK>/{train,dev,test}.tsv; synthetic: the "
                                 "embedded corpora")),
      key_or("tasks", std::vector<std::string>{}, "needed", "GLUE's tasks, or declared ones"),
      row_length(), train_limit(),
      in({.low = 0, .high = 100},
         key("label_noise", DataSettings{}.label_noise,
             "of the embedded corpora: so many percent of the training labels are wrong"))};
  return keys;
}

const std::vector<OptionSpec>& task_data_keys() {
  static const std::vector<OptionSpec> keys{of_task(row_length()), of_task(train_limit())};
  return keys;
}

const std::vector<OptionSpec>& own_task_keys() {
  static const std::vector<OptionSpec> keys{
      key_or("text_a", std::string(), "needed", "the column of the text, or of a pair's first"),
      key_or("text_b", std::string(), "single texts", "the column of a pair's second text"),
      key_or("label", std::string(), "needed", "the column of the label or score"),
      key_or("labels", std::vector<std::string>{}, "the labels are scores",
             "all labels, as they stand in the files"),
      one_of(all_metric_names(),
             key_or("metrics", std::vector<std::string>{}, "accuracy; of scores pearson, spearman",
                    "what is reported; the first selects the best weights")),
      key_or("positive", std::string(), "\"1\"", "the label that F1 is about")};
  return keys;
}

const std::vector<OptionSpec>& base_model_keys() {
  static const std::vector<OptionSpec> keys{
      path("weights", "needed", "Hugging Face folder, as in the tables of models")};
  return keys;
}

const std::vector<OptionSpec>& model_keys() {
  static const std::vector<OptionSpec> keys{
      path("weights", "those of [model]",
           "Hugging Face folder: config.json, model.safetensors and a vocabulary"),
      path("tokenizer", "the folder of weights; of a bilstm without any, the words of its data",
           "folder with a vocabulary"),
      path("vectors", "none",
           "of a bilstm's words: a file of word2vec (text or binary) or GloVe (text)"),
      one_of(preset_names(), key_or("preset", std::string(), "none",
                                    "architecture and sizes by the name of a published model")),
      one_of(architecture_names(),
             key_or("architecture", std::string(), "that of weights or preset", "kind of network"),
             planned_architectures()),
      one_of({"weights", "first-layers", "skip-layers", "random"},
             key_or("init", std::string(), "weights where they are given, else random",
                    "how it begins: with all layers, some of them, or none")),
      one_of({"pretrained", "teacher"},
             key("init_from", std::string("pretrained"),
                 "whose layers: those of weights, or the fine-tuned teacher's"))};
  return keys;
}

const std::vector<OptionSpec>& teacher_keys() {
  static const std::vector<OptionSpec> keys{
      key("per_seed", TeacherSettings{}.per_seed,
          "true: one for each seed of the students; false: the first seed's for all"),
      in(at_least(0), key_or("train_limit", int64_t{0}, "as in [data]",
                             "the first N training rows for its own training; 0: all"))};
  return keys;
}

const std::vector<OptionSpec>& transfer_keys() {
  static const std::vector<OptionSpec> keys = together(
      {one_of({transfer_kind::kRules, transfer_kind::kLanguageModel},
              path("kind", "needed",
                   "rules: variations of the training rows, as augment makes them; "
                   "language-model: texts of the model in [transfer.model], as generate makes "
                   "them; or a file of rows (TSV), or a folder of <TASK>.tsv")),
       one_of({"none", "teacher"},
              key("labels", TransferSettings{}.labels,
                  "what stands for labels: nothing, or the teacher's own choice"))},
      together(specs_of(rule_keys()), together(specs_of(sample_keys()), specs_of(text_keys()))));
  return keys;
}

const std::vector<OptionSpec>& method_keys() {
  static const std::vector<OptionSpec> keys = [] {
    OptionSpec outputs =
        one_of({"auto", "store", "online"},
               key("teacher_outputs", MethodSettings{}.teacher_outputs,
                   "stored, computed beside the student, or from a file (teacher store, or "
                   "safetensors); auto: stored where they find room"));
    outputs.or_file = true;
    return std::vector<OptionSpec>{
        key_or("name", std::string(), "needed", "the method: kdbench methods"),
        key_or("label", std::string(), "the name", "its name in tables and folders, used once"),
        outputs,
        one_of({"none", "set", transfer_kind::kRules, transfer_kind::kLanguageModel,
                transfer_kind::kFile},
               key_or("transfer", std::string(),
                      "of d-lite and d-heavy what [transfer] offers, of others none",
                      "learns from rows of [transfer] in place of the training rows: from its set "
                      "of `kind` (set), or of another"))};
  }();
  return keys;
}

std::vector<KeyTable> experiment_tables() {
  return {
      {"experiment", "outside all tables", "", experiment_keys()},
      {"data", "[data]", "the rows", data_keys()},
      {"task", "[task.<NAME>]",
       "declares a task of your own, in files with a header; GLUE's tasks have only its tables "
       "data and train",
       own_task_keys()},
      {"task.data", "[task.<NAME>.data]", "keys of [data] for one task", task_data_keys()},
      {"model", "[model]",
       "of every model whose table has neither weights nor preset nor architecture",
       base_model_keys()},
      {"teacher", "[teacher]",
       "the model that is learned from; with [teacher.train], even empty, it is fine-tuned "
       "first; " +
           sizes_text(),
       together(model_keys(), teacher_keys())},
      {"assistant", "[assistant]", "between teacher and student, for takd; as [teacher]",
       together(model_keys(), teacher_keys())},
      {"student", "[student], [method.student]", "the model that learns; " + sizes_text(),
       model_keys()},
      {"transfer", "[transfer]",
       "rows without labels, on which students learn what their teacher says; n_iter and what "
       "stands beside it are of kind = \"rules\", samples and what follows of [transfer.model], a "
       "language model with the keys of [teacher], and [transfer.train]",
       transfer_keys()},
      {"train", "[train]",
       "of every training; [task.<TASK>.train], then [teacher.train], [assistant.train] or "
       "[method.train], then [method.task.<TASK>.train] override single keys",
       specs_of(train_keys())},
      {"method", "[[method]]",
       "one entry each, with its own keys (kdbench methods NAME); [method.task.<TASK>] overrides "
       "them for a task, [method.grid] and [method.grid.train] list values to search",
       method_keys()},
  };
}

}  // namespace kdbench
