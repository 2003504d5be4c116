// SPDX-License-Identifier: MIT
#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "io/synthetic/synthetic.h"
#include "io/tasks/glue.h"
#include "tests/data/make/make.h"

namespace kdbench::make_data {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& file, const std::string& content) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
}

void write_task(const fs::path& root, const std::string& task, uint64_t seed) {
  for (const auto& file : make_synthetic_files(task, {seed, 36, 16, 1})) {
    const bool used = file.split == "train" || file.split == "dev" || file.split == "dev_matched";
    if (used) write(root / task / (file.split + ".tsv"), file.content);
  }
}

// RTE has no corpus of its own: MNLI's rows of another seed, with two labels.
void write_rte(const fs::path& root) {
  write_task(root / "mnli", "MNLI", 2);
  for (const auto& [split, source] : {std::pair{"train", "train"}, {"dev", "dev_matched"}}) {
    std::string content = "index\tsentence1\tsentence2\tlabel\n";
    for (const auto& row : read_glue(root / "mnli", find_task("MNLI"), source).rows) {
      content += std::to_string(row.row_id) + "\t" + row.text_a + "\t" + row.text_b + "\t" +
                 (row.label == "entailment" ? "entailment\n" : "not_entailment\n");
    }
    write(root / "RTE" / (std::string(split) + ".tsv"), content);
  }
  fs::remove_all(root / "mnli");
}

// Special tokens, single characters, and two of three words: the others become characters.
std::string vocabulary() {
  const std::vector<std::string> all = synthetic_vocabulary();
  std::vector<std::string> words;
  std::set<std::string> characters;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i < 5 || i % 3 != 0) words.push_back(all[i]);
    if (i < 5) continue;
    for (const char c : all[i]) {
      if (all[i].size() == 1) continue;
      characters.insert(std::string(1, c));
      characters.insert("##" + std::string(1, c));
    }
  }
  std::string text;
  for (const auto& word : words) {
    text += word + "\n";
    characters.erase(word);
  }
  for (const auto& character : characters) text += character + "\n";
  return text;
}

}  // namespace

void make_rows(const fs::path& data) {
  for (const char* task : {"CoLA", "STS-B", "MNLI"}) write_task(data / "rows", task, 1);
  write_rte(data / "rows");
  write(data / "rows/vocab.txt", vocabulary());
}

}  // namespace kdbench::make_data
