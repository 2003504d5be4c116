// SPDX-License-Identifier: MIT
// The trainer on language models: each step of another program, on any number of ranks and in any
// slices.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "io/batches/text_dataset.h"
#include "io/stores/feature_store.h"
#include "methods/next_token.h"
#include "suite/training/text_evaluator.h"
#include "suite/training/trainer.h"
#include "tests/methods/language_fixture.h"
#include "tests/support/shared_data.h"

namespace kdbench::text_training_test {
namespace {

using testing::LanguageFixture;

std::shared_ptr<const FeatureSplit> rows_of(const LanguageFixture& fixture) {
  FeatureSlice slice;
  slice.name = kTrainSplit;
  for (const auto& ids : fixture.rows) {
    slice.tokens.insert(slice.tokens.end(), ids.begin(), ids.end());
    slice.offsets.push_back(static_cast<int64_t>(slice.tokens.size()));
    slice.first_segment.push_back(static_cast<int32_t>(ids.size()));
    slice.row_ids.push_back(static_cast<int64_t>(slice.row_ids.size()));
  }
  return std::make_shared<FeatureSplit>(std::move(slice));
}

TrainSettings settings_of_file(const std::filesystem::path& file) {
  const auto json = nlohmann::json::parse(std::ifstream(file));
  TrainSettings settings;
  settings.batch_size = json.at("batch_size");
  settings.epochs = json.at("epochs");
  settings.learning_rate = json.at("learning_rate");
  settings.warmup = json.at("warmup");
  settings.weight_decay = json.at("weight_decay");
  settings.clip = json.at("clip");
  settings.shuffle = json.at("shuffle");
  return settings;
}

std::vector<nlohmann::json> lines_of(const std::filesystem::path& file) {
  std::vector<nlohmann::json> lines;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

// Every id stands for two characters.
class TwoCharacters : public Tokenizer {
 public:
  int second_segment_type() const override { return 0; }
  int64_t vocabulary_size() const override { return 1; }
  std::string sha256() const override { return ""; }
  TextMarks text_marks() const override { return {}; }
  std::string text_of(std::span<const int32_t> ids) const override {
    return std::string(2 * ids.size(), 'x');
  }

 protected:
  void append(std::string_view, std::vector<int32_t>&) const override {}
  RowFrame frame() const override { return {}; }
};

struct Case {
  std::string model, suffix;
  int64_t micro_batch = 0;
};

class TextTraining : public ::testing::TestWithParam<Case> {};

TEST_P(TextTraining, EveryStepIsThatOfTheReference) {
  const Case& test = GetParam();
  KDBENCH_NEED_SHARED(fixtures, "fixtures/lm");
  LanguageFixture fixture(fixtures / test.model);
  TrainSettings settings = settings_of_file(fixture.folder / ("training" + test.suffix + ".json"));
  settings.micro_batch = test.micro_batch;
  const auto expected = lines_of(fixture.folder / ("expected" + test.suffix + ".jsonl"));

  const auto texts = make_text_dataset(rows_of(fixture));
  const TextEvaluator evaluator(std::make_shared<TwoCharacters>());
  std::vector<StepRecord> steps;
  SplitMetrics last;
  Observer observer;
  observer.step = [&](const StepRecord& step) { steps.push_back(step); };
  observer.evaluation = [&](const EvaluationRecord& record) { last = record.metrics; };
  const Control control{MPI_COMM_WORLD};
  const auto collectives = make_collectives(control, at::kCPU);
  const auto method = make_next_token();
  const TrainingResult result = train(*method, {{{kStudent, fixture.model.get()}}},
                                      {&evaluator, texts.get(), {{kTrainSplit, texts.get()}}},
                                      settings, 1, control, *collectives, observer);

  ASSERT_EQ(steps.size() + 1, expected.size());
  for (size_t i = 0; i < steps.size(); ++i) {
    const UpdateRecord& update = steps[i].updates.at(0);
    const double loss = expected[i].at("loss"), norm = expected[i].at("grad_norm");
    EXPECT_NEAR(update.loss, loss, 1e-4 * loss + 1e-6) << "step " << i;
    ASSERT_EQ(update.terms.size(), 1u);
    EXPECT_EQ(update.terms[0].first, "ce");
    EXPECT_NEAR(update.terms[0].second, loss, 1e-4 * loss + 1e-6) << "step " << i;
    EXPECT_NEAR(update.grad_norm, norm, 1e-3 * norm + 1e-5) << "step " << i;
    EXPECT_NEAR(update.learning_rate, expected[i].at("learning_rate").get<double>(), 1e-9);
  }
  const auto& scores = last.at(kTrainSplit);
  const auto& metrics = expected.back().at("metrics");
  const double loss = metrics.at("loss"), perplexity = metrics.at("perplexity");
  EXPECT_NEAR(scores.at("loss"), loss, 1e-4 * loss);
  EXPECT_NEAR(scores.at("perplexity"), perplexity, 1e-3 * perplexity);
  EXPECT_NEAR(scores.at("bits_per_character"), loss / std::log(2.0) / 2.0, 1e-4 * loss);
  // The least loss is the last one here.
  EXPECT_EQ(result.student.best_epoch, settings.epochs - 1);
}

INSTANTIATE_TEST_SUITE_P(Lm, TextTraining,
                         ::testing::Values(Case{"gpt2-tiny", ""}, Case{"gpt2-tiny", "-decay"},
                                           Case{"gpt2-tiny", "", 1}, Case{"transfoxl-tiny", ""},
                                           Case{"transfoxl-tiny", "-decay", 1},
                                           Case{"transfoxl-tiny-div2", ""},
                                           Case{"transfoxl-tiny-div2", "-decay"}),
                         [](const auto& info) {
                           std::string name = info.param.model + info.param.suffix;
                           if (info.param.micro_batch) name += "-micro";
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace kdbench::text_training_test
