// SPDX-License-Identifier: MIT
// WordPiece on real text and the real vocabulary where KDBENCH_SHARED names a folder with them,
// else on made-up ones.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "io/glue.h"
#include "io/prepare.h"
#include "io/text.h"
#include "io/wordpiece.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMnliTrainPairs = 392702;
constexpr int kThreads = 2;
constexpr int kMaxLength = 128;

struct Input {
  std::unique_ptr<Tokenizer> tokenizer;
  GlueFile pairs;
  const char* source;
};

std::string made_up_word(std::mt19937& random) {
  std::string word;
  const size_t length = 1 + random() % 9;
  for (size_t i = 0; i < length; ++i) word += static_cast<char>('a' + random() % 26);
  return word;
}

Input made_up_input() {
  std::mt19937 random(1);
  std::vector<std::string> vocabulary{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ","};
  for (char c = 'a'; c <= 'z'; ++c) {
    vocabulary.push_back({c});
    vocabulary.push_back({'#', '#', c});
  }
  std::vector<std::string> words;
  for (int i = 0; i < 40000; ++i) words.push_back(made_up_word(random));
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  for (size_t i = 0; i < words.size(); ++i) {
    if (i % 4 && words[i].size() > 1) vocabulary.push_back((i % 4 == 1 ? "##" : "") + words[i]);
  }
  const auto text = [&] {
    std::string line;
    for (size_t i = 5 + random() % 20; i > 0; --i) line += words[random() % words.size()] + " ";
    return line + ".";
  };
  GlueFile pairs;
  pairs.path = "train.tsv";
  for (int64_t i = 0; i < 10000; ++i) pairs.rows.push_back({i, text(), text(), "neutral"});
  return {std::make_unique<WordPiece>(vocabulary, WordPieceOptions(), "made up"), std::move(pairs),
          "made up"};
}

// Texts and labels of MNLI rows whose file has a name of its own.
GlueFile read_pairs(const fs::path& path) {
  const FileLayout& layout = find_task("MNLI").split("train").layout;
  const std::string text = read_text_file(path);
  GlueFile file;
  file.path = path;
  std::string_view rest = text;
  std::vector<std::string_view> cells;
  for (take_line(rest); !rest.empty();) {
    split_cells(take_line(rest), cells);
    const auto cell = [&](int i) { return std::string(cells.at(static_cast<size_t>(i))); };
    file.rows.push_back({static_cast<int64_t>(file.rows.size()), cell(layout.text_a),
                         cell(layout.text_b), cell(layout.label)});
  }
  return file;
}

const Input& input() {
  static const Input shared = [] {
    const char* folder = std::getenv("KDBENCH_SHARED");
    const fs::path data = fs::path(folder ? folder : "") / "data";
    const auto rows = data / "glue/MNLI/train.subset9999.rebuilt.tsv";
    const auto vocabulary = data / "vocab/bert-base-uncased";
    if (!folder || !fs::exists(rows) || !fs::exists(vocabulary)) return made_up_input();
    return Input{load_tokenizer(vocabulary), read_pairs(rows), "bert-base-uncased, MNLI"};
  }();
  return shared;
}

void sentences(benchmark::State& state) {
  const Input& in = input();
  int64_t count = 0, bytes = 0;
  for (auto _ : state) {
    for (const auto& row : in.pairs.rows) {
      benchmark::DoNotOptimize(in.tokenizer->encode(row.text_a));
      bytes += static_cast<int64_t>(row.text_a.size());
      ++count;
    }
  }
  state.SetItemsProcessed(count);
  state.SetBytesProcessed(bytes);
  state.SetLabel(in.source);
}
BENCHMARK(sentences)->Unit(benchmark::kMillisecond);

// As many pairs as MNLI's training set has, to a feature slice.
void mnli_train_pairs(benchmark::State& state) {
  const Input& in = input();
  GlueFile pairs = in.pairs;
  pairs.rows.clear();
  for (int64_t i = 0; i < kMnliTrainPairs; ++i) {
    pairs.rows.push_back(in.pairs.rows[static_cast<size_t>(i) % in.pairs.rows.size()]);
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(tokenize_rows(*in.tokenizer, find_task("MNLI"), pairs, 0,
                                           kMnliTrainPairs, kMaxLength, kThreads));
  }
  state.SetItemsProcessed(kMnliTrainPairs);
  state.SetLabel(in.source);
}
BENCHMARK(mnli_train_pairs)->Iterations(1)->UseRealTime()->Unit(benchmark::kSecond);

}  // namespace
}  // namespace kdbench
