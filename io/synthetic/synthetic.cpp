// SPDX-License-Identifier: MIT
// The writer knows layouts from the table of tasks and meanings from the grammars; it keeps rows
// apart and labels in balance.
#include "io/synthetic/synthetic.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "io/base/partial_file.h"
#include "io/base/text.h"
#include "io/synthetic/corpora.h"
#include "io/synthetic/lexicon.h"
#include "io/tasks/task.h"

namespace kdbench {
namespace {

const SyntheticCorpus& find_corpus(const std::string& task) {
  for (const auto& corpus : synthetic_corpora()) {
    if (corpus.task == task) return corpus;
  }
  throw std::logic_error("no synthetic corpus for " + task);
}

// Draws the splits of one corpus.
class Writer {
 public:
  Writer(const SyntheticCorpus& corpus, uint64_t seed, int64_t label_noise)
      : corpus_(corpus),
        task_(find_task(corpus.task)),
        label_noise_(static_cast<size_t>(label_noise)),
        draws_(seed),
        noise_(~seed) {}

  SyntheticFile write(const SplitSpec& split, int64_t rows) {
    const auto draw = split.name.ends_with("_mismatched") ? corpus_.draw_mismatched : corpus_.draw;
    SyntheticFile file{split.name, split.layout.header};
    if (!file.content.empty()) file.content += "\n";
    const auto labels = balanced_labels(rows);
    for (int64_t row = 0; row < rows; ++row) {
      const std::string* label = labels.empty() ? nullptr : &labels[static_cast<size_t>(row)];
      SyntheticRow drawn = draw_new(draw, label);
      if (split.name == kTrainSplit) annotate(drawn);
      append(split.layout, row, drawn, file.content);
    }
    return file;
  }

 private:
  // Each label equally often, in random order; empty for regression.
  std::vector<std::string> balanced_labels(int64_t rows) {
    std::vector<std::string> labels;
    if (task_.regression()) return labels;
    for (int64_t row = 0; row < rows; ++row) {
      labels.push_back(task_.labels[static_cast<size_t>(row) % task_.labels.size()]);
    }
    draws_.shuffle(labels);
    return labels;
  }

  // By people, who are wrong at times.
  void annotate(SyntheticRow& row) {
    if (task_.regression() || !noise_.percent(label_noise_)) return;
    std::vector<std::string> others = task_.labels;
    std::erase(others, row.label);
    row.label = noise_.pick(others);
  }

  // A row that no split has yet; `label`: the one it must have, or null.
  SyntheticRow draw_new(SyntheticRow (*draw)(Draws&), const std::string* label) {
    for (;;) {
      SyntheticRow row = draw(draws_);
      if (label && row.label != *label) continue;
      if (seen_.insert(row.text_a + "\t" + row.text_b).second) return row;
    }
  }

  // Columns that no reader needs hold the row's number or a word that says where it is from.
  void append(const FileLayout& layout, int64_t number, const SyntheticRow& row,
              std::string& content) const {
    std::vector<std::string_view> names;
    split_cells(layout.header, names);
    for (int column = 0; column < layout.columns; ++column) {
      if (column > 0) content += "\t";
      const std::string name(layout.header.empty() ? "" : names.at(static_cast<size_t>(column)));
      if (column == layout.text_a) {
        content += row.text_a;
      } else if (column == layout.text_b) {
        content += row.text_b;
      } else if (column == layout.label || name.starts_with("label")) {
        content += row.label;
      } else if (name.ends_with("index") || name.ends_with("ID")) {
        content += std::to_string(number);
      } else {
        content += column == 0 || !name.empty() ? "synthetic" : "";
      }
    }
    content += "\n";
  }

  const SyntheticCorpus& corpus_;
  const Task& task_;
  const size_t label_noise_;  // percent
  Draws draws_, noise_;
  std::set<std::string> seen_;
};

int64_t rows_of(const SplitSpec& split, const SyntheticSettings& settings) {
  if (split.name == kTrainSplit) return settings.train_rows;
  return split.name.starts_with("dev") ? settings.dev_rows : settings.test_rows;
}

}  // namespace

const std::vector<SyntheticCorpus>& synthetic_corpora() {
  static const std::vector<SyntheticCorpus> corpora{
      {"CoLA", draw_agreement, nullptr},
      {"SST-2", draw_sentiment, nullptr},
      {"MRPC", draw_paraphrase, nullptr},
      {"STS-B", draw_similarity, nullptr},
      {"MNLI", draw_inference, draw_longer_inference}};
  return corpora;
}

std::vector<std::string> synthetic_tasks() {
  std::vector<std::string> names;
  for (const auto& corpus : synthetic_corpora()) names.push_back(corpus.task);
  return names;
}

std::vector<std::string> synthetic_vocabulary() {
  std::vector<std::string> vocabulary{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (const auto& word : lexicon::all_words()) vocabulary.push_back(word);
  return vocabulary;
}

std::vector<SyntheticFile> make_synthetic_files(const std::string& task,
                                                const SyntheticSettings& settings) {
  Writer writer(find_corpus(task), settings.seed, settings.label_noise);
  std::vector<SyntheticFile> files;
  const auto& splits = find_task(task).splits;
  // Training rows last: the others stay the same with any number of them.
  for (auto split = splits.rbegin(); split != splits.rend(); ++split) {
    if (split->name == "diagnostic") continue;  // GLUE's own, written by people
    files.push_back(writer.write(*split, rows_of(*split, settings)));
  }
  return files;
}

void write_synthetic(const std::filesystem::path& root, const SyntheticSettings& settings) {
  for (const auto& task : synthetic_tasks()) {
    make_subfolder(root / task);
    for (const auto& file : make_synthetic_files(task, settings)) {
      write_file(root / task / (file.split + ".tsv"), file.content);
    }
  }
  write_file(root / "vocab.txt", joined(synthetic_vocabulary(), "\n") + "\n");
}

}  // namespace kdbench
