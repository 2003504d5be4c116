// SPDX-License-Identifier: MIT
// WordPiece and byte-level BPE on text like MNLI's: from rows of a file to a feature slice, as
// `prepare` does it.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "io/stores/prepare.h"
#include "io/tokenizers/byte_bpe.h"
#include "io/tokenizers/wordpiece.h"
#include "tests/bench/made_up_text.h"
#include "tests/bench/measure.h"

namespace kdbench::tokenizer_bench {
namespace {

constexpr int kMaxLength = 128;

using MakeTokenizer = std::unique_ptr<Tokenizer> (*)(const MadeUpText&);

std::unique_ptr<Tokenizer> word_piece(const MadeUpText& text) {
  return std::make_unique<WordPiece>(text.vocabulary, WordPieceOptions(), "made-up vocabulary");
}

std::unique_ptr<Tokenizer> byte_bpe(const MadeUpText& text) {
  return std::make_unique<ByteBpe>(make_bpe(text), ByteBpeOptions());
}

void tokenize(benchmark::State& state, MakeTokenizer make, int64_t pairs, int threads) {
  const MadeUpText text = make_text(pairs);
  const auto tokenizer = make(text);
  const Task& task = find_task("MNLI");
  double bytes = 0.0;
  for (const auto& row : text.pairs.rows) {
    bytes += static_cast<double>(row.text_a.size() + row.text_b.size());
  }
  FeatureSlice split;
  const Seconds seconds = measure(state, [&] {
    split = tokenize_rows(*tokenizer, task, text.pairs, 0, pairs, {kMaxLength}, threads);
  });
  const auto ranks = static_cast<double>(world().size());
  state.counters["MB/s"] = ranks * bytes * 1e-6 / seconds.work;
  state.counters["sentences_per_s"] = ranks * 2.0 * static_cast<double>(pairs) / seconds.work;
  state.counters["tokens_per_pair"] =
      static_cast<double>(split.tokens.size()) / static_cast<double>(pairs);
}

[[maybe_unused]] const bool registered = [] {
  const auto add = [](const std::string& name, MakeTokenizer make, int64_t pairs, int threads) {
    benchmark::RegisterBenchmark(("tokenize/" + name).c_str(), tokenize, make, pairs, threads)
        ->Unit(benchmark::kMillisecond)
        ->UseManualTime();
  };
  add("mnli_like/threads:1", word_piece, 20'000, 1);
  add("mnli_like/threads:2", word_piece, 20'000, 2);
  add("small", word_piece, 200, 2);
  add("bpe/mnli_like/threads:1", byte_bpe, 20'000, 1);
  add("bpe/mnli_like/threads:2", byte_bpe, 20'000, 2);
  add("bpe/small", byte_bpe, 200, 2);
  return true;
}();

}  // namespace
}  // namespace kdbench::tokenizer_bench
