// SPDX-License-Identifier: MIT
// The table of tasks. Columns are named as in the official headers and looked up there, once.
#include "io/tasks/task.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

#include "io/base/error.h"
#include "io/base/text.h"

namespace kdbench {
namespace {

FileLayout with_header(const std::string& header, const Columns& columns) {
  std::vector<std::string_view> names;
  split_cells(header, names);
  const auto position = [&](const std::string& name) {
    if (name.empty()) return -1;
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) throw std::logic_error("no column " + name + " in the task table");
    return static_cast<int>(found - names.begin());
  };
  return {header,
          columns,
          static_cast<int>(names.size()),
          position(columns.text_a),
          position(columns.text_b),
          position(columns.label)};
}

Task cola() {
  // source, label, mark, sentence
  const FileLayout labelled{
      .header = "", .names = {}, .columns = 4, .text_a = 3, .text_b = -1, .label = 1};
  const FileLayout test = with_header("index\tsentence", {"sentence", "", ""});
  return {"CoLA",
          {"0", "1"},
          {"unacceptable", "acceptable"},
          {Metric::kMatthews, Metric::kAccuracy},
          {Metric::kMatthews},
          {{"train", labelled}, {"dev", labelled}, {"test", test}}};
}

Task sst2() {
  const FileLayout labelled = with_header("sentence\tlabel", {"sentence", "", "label"});
  const FileLayout test = with_header("index\tsentence", {"sentence", "", ""});
  return {"SST-2",
          {"0", "1"},
          {"negative", "positive"},
          {Metric::kAccuracy},
          {Metric::kAccuracy},
          {{"train", labelled}, {"dev", labelled}, {"test", test}}};
}

Task mrpc() {
  const FileLayout labelled = with_header("Quality\t#1 ID\t#2 ID\t#1 String\t#2 String",
                                          {"#1 String", "#2 String", "Quality"});
  const FileLayout test =
      with_header("index\t#1 ID\t#2 ID\t#1 String\t#2 String", {"#1 String", "#2 String", ""});
  return {"MRPC",
          {"0", "1"},
          {"not_equivalent", "equivalent"},
          {Metric::kF1, Metric::kAccuracy},
          {Metric::kF1},
          {{"train", labelled}, {"dev", labelled}, {"test", test}}};
}

Task stsb() {
  const std::string header =
      "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2";
  const FileLayout labelled = with_header(header + "\tscore", {"sentence1", "sentence2", "score"});
  const FileLayout test = with_header(header, {"sentence1", "sentence2", ""});
  return {"STS-B",
          {},
          {},
          {Metric::kPearson, Metric::kSpearman},
          {Metric::kPearson, Metric::kSpearman},
          {{"train", labelled}, {"dev", labelled}, {"test", test}}};
}

Task qqp() {
  const FileLayout labelled = with_header("id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate",
                                          {"question1", "question2", "is_duplicate"});
  const FileLayout test = with_header("id\tquestion1\tquestion2", {"question1", "question2", ""});
  return {"QQP",
          {"0", "1"},
          {"not_duplicate", "duplicate"},
          {Metric::kAccuracy, Metric::kF1},
          {Metric::kAccuracy},
          {{"train", labelled}, {"dev", labelled}, {"test", test}},
          /*skips_short_rows=*/true};
}

const std::vector<std::string>& mnli_labels() {
  static const std::vector<std::string> labels{"contradiction", "entailment", "neutral"};
  return labels;
}

FileLayout diagnostic_layout() {
  return with_header("index\tsentence1\tsentence2", {"sentence1", "sentence2", ""});
}

Task mnli() {
  const std::string header =
      "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\t"
      "sentence1_parse\tsentence2_parse\tsentence1\tsentence2";
  const Columns columns{"sentence1", "sentence2", "gold_label"};
  const FileLayout train = with_header(header + "\tlabel1\tgold_label", columns);
  const FileLayout dev =
      with_header(header + "\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\tgold_label", columns);
  const FileLayout test = with_header(header, {"sentence1", "sentence2", ""});
  return {"MNLI",
          mnli_labels(),
          {},
          {Metric::kAccuracy},
          {Metric::kAccuracy},
          {{"train", train},
           {"dev_matched", dev},
           {"dev_mismatched", dev},
           {"test_matched", test},
           {"test_mismatched", test},
           {"diagnostic", diagnostic_layout()}}};
}

// QNLI, RTE and WNLI: index, two texts, label.
Task inference_pair(const std::string& name, const std::vector<std::string>& labels,
                    const std::vector<std::string>& words, const std::string& text_a,
                    const std::string& text_b) {
  const std::string header = "index\t" + text_a + "\t" + text_b;
  const FileLayout labelled = with_header(header + "\tlabel", {text_a, text_b, "label"});
  const FileLayout test = with_header(header, {text_a, text_b, ""});
  return {name,
          labels,
          words,
          {Metric::kAccuracy},
          {Metric::kAccuracy},
          {{"train", labelled}, {"dev", labelled}, {"test", test}}};
}

// MNLI's models predict it: MNLI has it as a split too.
Task ax() {
  return {"AX",
          mnli_labels(),
          {},
          {Metric::kAccuracy},
          {Metric::kAccuracy},
          {{"diagnostic", diagnostic_layout()}}};
}

// "SST-2" -> "sst2"
std::string letters_of(const std::string& text) {
  std::string letters = ascii_lower(text);
  std::erase_if(letters, [](char c) { return c == '-' || c == '_' || c == ' '; });
  return letters;
}

// "Not entailment" -> "not_entailment"
std::string with_underscores(const std::string& text) {
  std::string word = ascii_lower(text);
  std::replace_if(
      word.begin(), word.end(), [](char c) { return c == '-' || c == ' '; }, '_');
  return word;
}

}  // namespace

const std::string& metric_name(Metric metric) {
  static const std::array<std::string, 5> names{"accuracy", "f1", "matthews", "pearson",
                                                "spearman"};
  return names.at(static_cast<size_t>(metric));
}

const std::vector<Metric>& all_metrics() {
  static const std::vector<Metric> metrics{Metric::kAccuracy, Metric::kF1, Metric::kMatthews,
                                           Metric::kPearson, Metric::kSpearman};
  return metrics;
}

std::vector<std::string> all_metric_names() {
  std::vector<std::string> names;
  for (const Metric metric : all_metrics()) names.push_back(metric_name(metric));
  return names;
}

std::optional<Metric> find_metric(const std::string& name) {
  for (const Metric metric : all_metrics()) {
    if (metric_name(metric) == name) return metric;
  }
  return std::nullopt;
}

bool Task::is_called(const std::string& other) const {
  const std::string word = letters_of(other);
  if (word == letters_of(name)) return true;
  const bool of_mnli = word == "mnli" || word == "mnlimm" || word == "ax";
  return of_mnli && (name == "MNLI" || name == "AX");
}

const std::string* Task::label_of(const std::string& other) const {
  const auto same = std::find(labels.begin(), labels.end(), other);
  if (same != labels.end()) return &*same;
  const std::string word = with_underscores(other);
  for (size_t i = 0; i < labels.size(); ++i) {
    if (word == with_underscores(labels[i]) || (i < label_words.size() && word == label_words[i]))
      return &labels[i];
  }
  return nullptr;
}

const SplitSpec& Task::split(const std::string& split_name) const {
  std::vector<std::string> known;
  for (const auto& spec : splits) {
    if (spec.name == split_name) return spec;
    known.push_back(spec.name);
  }
  throw_unknown(name + " split", split_name, known);
}

std::vector<std::string> Task::dev_splits() const {
  std::vector<std::string> names;
  for (const auto& spec : splits) {
    if (spec.name.starts_with("dev")) names.push_back(spec.name);
  }
  return names;
}

std::vector<std::string> Task::test_splits() const {
  std::vector<std::string> names;
  for (const auto& spec : splits) {
    if (spec.name.starts_with("test") || spec.name == "diagnostic") names.push_back(spec.name);
  }
  return names;
}

const std::vector<Task>& all_tasks() {
  static const std::vector<std::string> yes_no{"entailment", "not_entailment"};
  static const std::vector<Task> tasks{
      cola(),
      sst2(),
      mrpc(),
      stsb(),
      qqp(),
      mnli(),
      inference_pair("QNLI", yes_no, {}, "question", "sentence"),
      inference_pair("RTE", yes_no, {}, "sentence1", "sentence2"),
      inference_pair("WNLI", {"0", "1"}, {"not_entailment", "entailment"}, "sentence1",
                     "sentence2"),
      ax()};
  return tasks;
}

const Task& find_task(const std::string& name, const OwnTasks& own) {
  std::vector<std::string> known;
  for (const auto& task : own) {
    if (task->name == name) return *task;
    known.push_back(task->name);
  }
  for (const auto& task : all_tasks()) {
    if (task.name == name) return task;
    known.push_back(task.name);
  }
  throw_unknown("task", name, known);
}

}  // namespace kdbench
