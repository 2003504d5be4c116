// SPDX-License-Identifier: MIT
// Transfer sets by a language model: the same bytes on any number of ranks, texts as likely as the
// model says, and the verb from a folder to a file.
#include "suite/transfer/sample_set.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "io/base/partial_file.h"
#include "io/tokenizers/wordpiece.h"
#include "methods/models/checkpoint.h"
#include "methods/models/language_model.h"
#include "methods/models/masked_model.h"
#include "methods/models/registry.h"
#include "methods/ops/token_draw.h"
#include "suite/transfer/ancestral_sampler.h"
#include "suite/transfer/infill_sampler.h"
#include "suite/transfer/sample_progress.h"
#include "suite/transfer/set_file.h"
#include "suite/verbs/registry.h"
#include "tests/io/rank_folder.h"
#include "tests/support/user_error.h"

namespace kdbench::sample_set_test {
namespace {

using testing::RankFolder;

constexpr int64_t kIds = 14;

// Ids 0 .. 13 are letters from a on; `end` ends a text and, where `parts`, also its first half.
class Letters : public Tokenizer {
 public:
  explicit Letters(int32_t end, bool parts) : end_(end), parts_(parts) {}
  int second_segment_type() const override { return 0; }
  int64_t vocabulary_size() const override { return kIds; }
  std::string sha256() const override { return ""; }
  TextMarks text_marks() const override { return {end_, parts_ ? end_ : -1}; }
  std::string text_of(std::span<const int32_t> ids) const override {
    std::string text;
    for (const int32_t id : ids) text += id == 1 ? '\t' : static_cast<char>('a' + id);
    return text;
  }

 protected:
  void append(std::string_view, std::vector<int32_t>&) const override {}
  RowFrame frame() const override { return {}; }

 private:
  int32_t end_;
  bool parts_;
};

std::unique_ptr<LanguageModel> model_of(const std::string& architecture) {
  ModelSpec spec;
  spec.config = find_architecture(architecture).defaults;
  Sizes sizes = {{"layers", 2}, {"hidden", 12}, {"heads", 2}};
  find_architecture(architecture).complete(sizes);
  for (const auto& key : find_architecture(architecture).sizes) {
    if (sizes.contains(key.spec.name)) spec.config.*key.member = sizes.at(key.spec.name);
  }
  spec.config.vocabulary = kIds;
  spec.config.initializer_range = 0.5;
  auto model = make_language_model(spec);
  initialize_parameters(*model, 3);
  return model;
}

std::vector<int64_t> beginnings() {
  std::vector<int64_t> counts(kIds, 0);
  counts[2] = 5;
  counts[5] = 1;
  counts[9] = 14;
  return counts;
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(SampleSet, IsTheSameOnAnyNumberOfRanks) {
  const Control world(MPI_COMM_WORLD), alone;
  const RankFolder folder;
  for (const char* architecture : {"gpt2", "transfo-xl"}) {
    const auto model = model_of(architecture);
    for (const bool pair : {false, true}) {
      for (const bool parts : {false, true}) {
        const Letters letters(0, parts);
        const SampleSource source{*model, letters, beginnings()};
        SampleSettings settings;
        settings.sample_length = 30;
        settings.top_k = parts ? 9 : 0;
        const FileLayout layout = set_layout(find_task(pair ? "QQP" : "CoLA"));
        const auto made = [&](int64_t samples, const std::string& name, const Control& control) {
          const auto path =
              folder.path / fmt::format("{}-{}{}-{}", architecture, pair, parts, name);
          return write_sample_set(source, pair, samples, settings, layout, path, control);
        };
        const auto bytes = [&](const std::string& name) {
          return bytes_of(folder.path / fmt::format("{}-{}{}-{}", architecture, pair, parts, name));
        };
        const SampleSet set = made(300, "all", world);
        MPI_Barrier(MPI_COMM_WORLD);
        const std::string own = fmt::format("alone-{}", folder.rank);
        const SampleSet one = made(300, own, alone);
        EXPECT_EQ(bytes("all"), bytes(own));
        EXPECT_EQ(set.begun, 300);
        EXPECT_EQ(set.written + set.malformed, 300);
        EXPECT_GT(set.written, 20);
        EXPECT_EQ(to_json(set), to_json(one));
        // Fewer texts are the same ones.
        made(70, own + "-few", alone);
        EXPECT_TRUE(bytes(own).starts_with(bytes(own + "-few")));
      }
    }
  }
}

// What a killed job leaves: a file that is longer than the progress says.
TEST(SampleSet, GoesOnWhereAKilledJobStopped) {
  const Control world(MPI_COMM_WORLD), alone;
  const RankFolder folder;
  const auto model = model_of("gpt2");
  const Letters letters(0, false);
  const SampleSource source{*model, letters, beginnings()};
  SampleSettings settings;
  settings.sample_length = 8;
  const FileLayout layout = set_layout(find_task("CoLA"));
  const int64_t samples = 4096 * 4 + 100;  // more than a window on 4 ranks
  const auto whole = folder.path / fmt::format("whole-{}", folder.rank);
  const SampleSet expected =
      write_sample_set(source, false, samples, settings, layout, whole, alone);
  // Of one rank's first window.
  const auto first = folder.path / fmt::format("first-{}", folder.rank);
  const SampleSet begun = write_sample_set(source, false, 4096, settings, layout, first, alone);
  const auto path = folder.path / "set";
  const auto leave = [&](const std::string& identity) {
    if (folder.rank == 0) {
      std::ofstream(partial_path(path)) << bytes_of(first) << "more\tthat was not noted";
      write_progress(path, identity,
                     {4096, static_cast<int64_t>(std::filesystem::file_size(first)), begun});
    }
    MPI_Barrier(MPI_COMM_WORLD);
  };
  const std::string identity = sample_identity(source, false, samples, settings, layout);
  for (const std::string& left : {identity, std::string("another set")}) {
    leave(left);
    const auto set = write_sample_set(source, false, samples, settings, layout, path, world);
    MPI_Barrier(MPI_COMM_WORLD);
    EXPECT_EQ(to_json(set), to_json(expected));
    EXPECT_EQ(bytes_of(path), bytes_of(whole));
    EXPECT_FALSE(std::filesystem::exists(path.string() + ".progress"));
    MPI_Barrier(MPI_COMM_WORLD);
  }
  // It is gone on with indeed: rows that were left count as they are.
  if (folder.rank == 0) {
    std::string other = bytes_of(first);
    other.replace(other.find('\n') + 1, 1, "X");
    std::ofstream(partial_path(path)) << other;
    write_progress(path, identity, {4096, static_cast<int64_t>(other.size()), begun});
  }
  MPI_Barrier(MPI_COMM_WORLD);
  write_sample_set(source, false, samples, settings, layout, path, world);
  MPI_Barrier(MPI_COMM_WORLD);
  std::string changed = bytes_of(whole);
  changed.replace(changed.find('\n') + 1, 1, "X");
  EXPECT_EQ(bytes_of(path), changed);
}

TEST(SampleSet, ATextIsTheSameWhateverIsMadeBesideIt) {
  const auto model = model_of("gpt2");
  const Letters letters(0, false);
  const SampleSource source{*model, letters, beginnings()};
  SampleSettings settings;
  settings.sample_length = 30;
  AncestralSampler sampler(source, false, settings);
  std::map<int64_t, std::vector<int32_t>> texts;
  sampler.sample(0, 200,
                 [&](int64_t number, const SampledText& text) { texts[number] = text.ids; });
  ASSERT_EQ(texts.size(), 200U);
  for (const int64_t number : {0, 63, 64, 150, 199}) {
    sampler.sample(number, number + 1, [&](int64_t same, const SampledText& text) {
      EXPECT_EQ(same, number);
      EXPECT_EQ(text.ids, texts.at(number));
    });
  }
}

// Pearson's statistic of counts against probabilities; its mean is the number of outcomes less 1.
double chi_square(const std::vector<int64_t>& counts, const std::vector<double>& probabilities) {
  int64_t all = 0;
  for (const int64_t count : counts) all += count;
  double sum = 0.0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double expected = probabilities[i] * static_cast<double>(all);
    if (expected > 0) sum += std::pow(static_cast<double>(counts[i]) - expected, 2) / expected;
  }
  return sum;
}

TEST(SampleSet, TextsAreAsLikelyAsTheModelSays) {
  const auto model = model_of("gpt2");
  const Letters letters(0, false);
  const SampleSource source{*model, letters, beginnings()};
  SampleSettings settings;
  settings.sample_length = 4;
  settings.temperature = 0.8;
  AncestralSampler sampler(source, false, settings);
  std::vector<int64_t> first(kIds), second(kIds), third(kIds);
  sampler.sample(0, 20000, [&](int64_t, const SampledText& text) {
    ++first[static_cast<size_t>(text.ids[0])];
    if (text.ids[0] != 9) return;
    ++second[static_cast<size_t>(text.ids[1])];
    if (text.ids[1] == 3 && text.ids.size() > 2) ++third[static_cast<size_t>(text.ids[2])];
  });
  std::vector<double> begins(kIds);
  for (size_t id = 0; id < begins.size(); ++id)
    begins[id] = static_cast<double>(beginnings()[id]) / 20.0;
  EXPECT_LT(chi_square(first, begins), 16);  // 2 degrees: p = 0.0003
  const auto after = [&](const std::vector<int64_t>& ids) {
    const at::Tensor scores = model->decoder(1, 4)->read(0, ids);
    std::vector<double> probabilities(kIds);
    for (const auto& token : kept_tokens(kIds, scores.const_data_ptr<float>(), {0.8}))
      probabilities[static_cast<size_t>(token.id)] = token.probability;
    return probabilities;
  };
  EXPECT_LT(chi_square(second, after({9})), 37);  // 13 degrees: p = 0.0004
  EXPECT_LT(chi_square(third, after({9, 3})), 37);
}

TEST(SampleSet, AModelThatEndsNothingIsAnError) {
  const Control world(MPI_COMM_WORLD);
  const RankFolder folder;
  const auto model = model_of("gpt2");
  const Letters never(99, false);
  const SampleSource source{*model, never, beginnings()};
  SampleSettings settings;
  settings.sample_length = 6;
  const auto path = folder.path / "set";
  const FileLayout single = set_layout(find_task("CoLA")), two = set_layout(find_task("QQP"));
  const auto error = testing::user_error_of(
      [&] { write_sample_set(source, false, 1500, settings, single, path, world); });
  EXPECT_NE(error.find("none of the 1500 texts that were begun has ended"), std::string::npos)
      << error;
  const auto no_pairs = testing::user_error_of([&] {
    const Letters parts(99, true);
    const SampleSource parted{*model, parts, beginnings()};
    write_sample_set(parted, true, 20, settings, two, path, world);
  });
  EXPECT_NE(no_pairs.find("none of 20 texts is well-formed"), std::string::npos) << no_pairs;
  MPI_Barrier(MPI_COMM_WORLD);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path));
}

// Words of letters, and a BERT that fills masks of them.
class Infill : public ::testing::Test {
 protected:
  Infill() {
    ModelSpec spec;
    spec.config = find_architecture("bert-masked").defaults;
    spec.config.layers = 2;
    spec.config.hidden = 16;
    spec.config.heads = 2;
    spec.config.intermediate = 32;
    spec.config.max_positions = 16;
    spec.config.vocabulary = tokenizer_.vocabulary_size() + 2;  // rows that no entry has
    spec.config.initializer_range = 0.4;
    model_ = make_text_model(spec);
    initialize_parameters(*model_, 3);
    for (const auto& [a, b] : std::vector<std::pair<std::string, std::string>>{
             {"a b c d e", "f g"}, {"b  a", "c d e f g a b"}, {"g f e d c b a", "a"}}) {
      rows_.push_back({});
      rows_.back().text_a = a;
      rows_.back().text_b = b;
    }
  }

  SampleSource source(bool pair) const { return sample_source(*model_, tokenizer_, rows_, pair); }

  std::vector<SampledText> texts(int64_t begin, int64_t end, const SampleSettings& settings,
                                 bool pair = false) const {
    std::vector<SampledText> texts;
    const SampleSource from = source(pair);
    InfillSampler(from, pair, settings).sample(begin, end, [&](int64_t number, SampledText text) {
      EXPECT_EQ(number, begin + static_cast<int64_t>(texts.size()));
      texts.push_back(std::move(text));
    });
    return texts;
  }

  WordPiece tokenizer_{
      {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "d", "e", "f", "g"},
      {},
      "here"};
  std::unique_ptr<TextModel> model_;
  std::vector<GlueRow> rows_;
};

TEST_F(Infill, IsTheSameOnAnyNumberOfRanksAndThreads) {
  const Control world(MPI_COMM_WORLD), alone;
  const RankFolder folder;
  const int threads = at::get_num_threads();
  for (const bool pair : {false, true}) {
    const FileLayout layout = set_layout(find_task(pair ? "QQP" : "CoLA"));
    SampleSettings settings;
    settings.infill_prob = 0.5;
    settings.top_k = pair ? 3 : 0;
    const SampleSource from = source(pair);
    const auto made = [&](int64_t samples, const std::string& name, const Control& control) {
      const auto path = folder.path / fmt::format("{}-{}", pair, name);
      const SampleSet set = write_sample_set(from, pair, samples, settings, layout, path, control);
      control.barrier();
      return std::pair(to_json(set), bytes_of(path));
    };
    const std::string own = fmt::format("alone-{}", folder.rank);
    const auto all = made(300, "all", world);
    at::set_num_threads(threads == 1 ? 2 : 1);
    EXPECT_EQ(made(300, own, alone), all);
    at::set_num_threads(threads);
    EXPECT_EQ(all.first.at("written"), 300);
    EXPECT_EQ(all.first.at("without_end"), 0);
    EXPECT_TRUE(all.second.starts_with(made(70, own + "-few", alone).second));
  }
}

TEST_F(Infill, WordsStayOrAreFilledByWords) {
  SampleSettings settings;
  settings.infill_prob = 0.0;
  // Each row as it is, again and again.
  for (const auto& text : texts(60, 70, settings, /*pair=*/true)) EXPECT_TRUE(text.ended);
  const auto as_they_are = texts(3, 6, settings);
  EXPECT_EQ(as_they_are[0].ids, (std::vector<int32_t>{5, 6, 7, 8, 9, 3}));
  EXPECT_EQ(as_they_are[1].ids, (std::vector<int32_t>{6, 5, 3}));
  const auto pairs = texts(0, 1, settings, /*pair=*/true);
  EXPECT_EQ(pairs[0].ids, (std::vector<int32_t>{5, 6, 7, 8, 9, 3, 10, 11, 3}));

  int64_t words = 0, changed = 0;
  settings.infill_prob = 1.0;
  for (const auto& text : texts(0, 3000, settings)) {
    EXPECT_EQ(text.ids.back(), 3);
    for (size_t i = 0; i + 1 < text.ids.size(); ++i) EXPECT_GE(text.ids[i], 5);
    for (size_t i = 0; i + 1 < text.ids.size(); ++i) EXPECT_LE(text.ids[i], 11);
  }
  settings.infill_prob = 0.2;
  settings.top_k = 1;  // the likeliest, which some rows have anyway
  const auto rows = texts(0, 3, [&] {
    SampleSettings none;
    none.infill_prob = 0.0;
    return none;
  }());
  for (int64_t number = 0; const auto& text : texts(0, 3000, settings)) {
    const auto& row = rows[static_cast<size_t>(number++ % 3)].ids;
    ASSERT_EQ(text.ids.size(), row.size());
    for (size_t i = 0; i < row.size(); ++i) changed += text.ids[i] != row[i];
    words += static_cast<int64_t>(row.size()) - 1;
  }
  EXPECT_LT(changed, 0.22 * static_cast<double>(words));
  EXPECT_GT(changed, 0.10 * static_cast<double>(words));
}

TEST_F(Infill, LongRowsAreCut) {
  SampleSettings settings;
  settings.infill_prob = 0.0;
  settings.sample_length = 6;
  const auto cut = texts(0, 2, settings);
  EXPECT_FALSE(cut[0].ended);
  EXPECT_EQ(cut[0].ids, (std::vector<int32_t>{5, 6, 7, 8}));
  EXPECT_TRUE(cut[1].ended);
}

TEST_F(Infill, FillsAreAsLikelyAsTheModelSays) {
  rows_.resize(1);
  rows_[0].text_a = "a [MASK] c";
  SampleSettings settings;
  settings.infill_prob = 0.0;
  settings.temperature = 0.7;
  std::vector<int64_t> counts(7);
  for (const auto& text : texts(0, 20000, settings)) ++counts[static_cast<size_t>(text.ids[1] - 5)];
  Batch batch;
  batch.row_ids = at::tensor({0}, at::kLong);
  batch.ragged[field::kTokens] = {at::tensor({2, 5, 4, 7, 3}, at::kLong),
                                  at::tensor({0, 5}, at::kLong)};
  batch.dense[field::kFirstSegment] = at::tensor({5}, at::kLong);
  std::vector<double> probabilities;
  dynamic_cast<const MaskedModel&>(*model_).score(
      batch, at::tensor({2}, at::kLong), [&](int64_t, const at::Tensor& scores) {
        const at::Tensor shares = at::softmax(scores[0].slice(0, 5, 12).to(at::kDouble) / 0.7, 0);
        for (int64_t i = 0; i < 7; ++i) probabilities.push_back(shares[i].item<double>());
      });
  EXPECT_LT(chi_square(counts, probabilities), 25);  // 6 degrees: p = 0.0003
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

// A folder with a model whose tokens are a few words, and rows to begin from.
void make_folders(const std::filesystem::path& root) {
  std::filesystem::create_directories(root / "model");
  const auto model = model_of("gpt2");
  save_checkpoint(*model, root / "model");
  write_file(root / "model" / "vocab.txt",
             "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\na\nfilm\nis\ngood\nbad\nnot\nvery\n.\n");
  write_file(root / "rows.tsv", "sentence\tother\nthe film is good .\ta film\nis it not\tgood\n");
}

// The verb by its command line, on all ranks; its document.
nlohmann::json generate(const Control& control, std::vector<std::string> arguments) {
  CLI::App app;
  const VerbAction action = generate_verb().declare(app);
  std::reverse(arguments.begin(), arguments.end());
  app.parse(arguments);
  Answer answer;
  answer.json = true;
  const VerbContext context{control, "generate", answer};
  EXPECT_EQ(action(context), ExitCode::kDone);
  return answer.data;
}

TEST(Generate, FromAFolderToASet) {
  const Control world(MPI_COMM_WORLD), alone;
  const RankFolder folder;
  folder.make("made", make_folders);
  const std::string root = (folder.path / "made").string();
  const std::vector<std::string> common = {
      "--model",  root + "/model", "--file", root + "/rows.tsv", "--columns",
      "sentence", "--samples",     "40",     "--sample-length",  "12"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = common;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const auto said = generate(world, with({"--out", root + "/set.tsv"}));
  MPI_Barrier(MPI_COMM_WORLD);
  if (folder.rank == 0) {
    EXPECT_EQ(said.at("transfer_set").at("begun"), 40);
  }
  const std::string own = root + fmt::format("/own-{}.tsv", folder.rank);
  generate(alone, with({"--out", own}));
  EXPECT_EQ(bytes_of(root + "/set.tsv"), bytes_of(own));
  std::istringstream lines(bytes_of(own));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "sentence");
  int64_t rows = 0;
  while (std::getline(lines, line)) {
    EXPECT_TRUE(line.starts_with("the") || line.starts_with("is")) << line;
    ++rows;
  }
  EXPECT_GT(rows, 30);
}

TEST(Generate, MistakesAreSaidAllAtOnce) {
  const Control world(MPI_COMM_WORLD);
  const RankFolder folder;
  folder.make("made", make_folders);
  const std::string root = (folder.path / "made").string();
  const std::string error = testing::user_error_of([&] {
    generate(world, {"--model", root, "--file", root + "/rows.tsv", "--columns", "none", "--out",
                     root + "/rows.tsv", "--temperature", "0", "--top-p", "1.5"});
  });
  for (const char* part : {"config.json", "no column 'none'", "is already there", "--temperature",
                           "--top-p: expected a number above 0, at most 1"}) {
    EXPECT_NE(error.find(part), std::string::npos) << part << "\n" << error;
  }
  if (folder.rank == 0)
    write_file(root + "/model/vocab.txt",
               "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\na\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
  MPI_Barrier(MPI_COMM_WORLD);
  const std::string other = testing::user_error_of([&] {
    generate(world, {"--model", root + "/model", "--file", root + "/rows.tsv", "--columns",
                     "sentence", "--out", root + "/set.tsv"});
  });
  EXPECT_NE(other.find("the vocabulary is another model's"), std::string::npos) << other;
}

}  // namespace
}  // namespace kdbench::sample_set_test
