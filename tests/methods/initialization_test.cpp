// SPDX-License-Identifier: MIT
#include "methods/models/initialization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/base/error.h"
#include "methods/models/checkpoint.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny.h"
#include "tests/support/user_error.h"

namespace kdbench::initialization_test {
namespace {

using ::testing::HasSubstr;
using testing::tiny_bert;
using testing::user_error_of;

const char* const kProbe = ".attention.self.key.weight";

std::string layer_name(int64_t layer) { return "encoder.layer." + std::to_string(layer) + kProbe; }

// Which layer of `source` each layer of `student` equals.
std::vector<int64_t> origin_of_layers(const Model& student, const TensorMap& source,
                                      int64_t source_layers) {
  std::vector<int64_t> origins;
  for (int64_t i = 0; i < student.config().layers; ++i) {
    origins.push_back(-1);
    for (int64_t j = 0; j < source_layers; ++j) {
      if (student.parameters()[layer_name(i)].equal(source.at(layer_name(j)))) origins.back() = j;
    }
  }
  return origins;
}

TEST(InitializeStudent, TakesFirstOrSkippedLayers) {
  const TensorMap source = tiny_bert(1, 6)->parameters().to_tensors();
  const auto student = tiny_bert(2, 3);
  EXPECT_EQ(origin_of_layers(*student, source, 6), (std::vector<int64_t>{-1, -1, -1}));
  const LoadReport report = initialize_student(*student, source, 6, "first-layers", "source");
  EXPECT_EQ(origin_of_layers(*student, source, 6), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_TRUE(report.missing.empty());
  EXPECT_TRUE(report.unexpected.empty());
  EXPECT_TRUE(student->parameters()["embeddings.word_embeddings.weight"].equal(
      source.at("embeddings.word_embeddings.weight")));
  initialize_student(*student, source, 6, "skip-layers", "source");
  EXPECT_EQ(origin_of_layers(*student, source, 6), (std::vector<int64_t>{1, 3, 5}));
}

TEST(InitializeStudent, RandomLeavesTheModelAlone) {
  const auto student = tiny_bert(2, 3);
  const at::Tensor before = student->parameters().values().clone();
  initialize_student(*student, {}, 6, "random", "source");
  EXPECT_TRUE(student->parameters().values().equal(before));
}

TEST(InitializeStudent, RefusesDepthsThatDoNotFit) {
  const auto student = tiny_bert(2, 4);
  EXPECT_THAT(user_error_of([&] { initialize_student(*student, {}, 6, "weights", "source"); }),
              HasSubstr("4 layers from 6"));
  EXPECT_THAT(user_error_of([&] { initialize_student(*student, {}, 6, "skip-layers", "source"); }),
              HasSubstr("must divide"));
  EXPECT_THAT(user_error_of([&] { initialize_student(*student, {}, 3, "first-layers", "source"); }),
              HasSubstr("4 layers from 3"));
  EXPECT_THAT(user_error_of([&] { initialize_student(*student, {}, 4, "weigths", "source"); }),
              HasSubstr("not known"));
}

TEST(InitializeStudent, KeepsAClassifierThatTheSourceLacks) {
  TensorMap source = tiny_bert(1, 2)->parameters().to_tensors();
  source.erase("classifier.weight");
  source.erase("classifier.bias");
  source["cls.predictions.bias"] = at::zeros({50});
  const auto student = tiny_bert(2, 2);
  const at::Tensor before = student->parameters()["classifier.weight"].clone();
  const LoadReport report = initialize_student(*student, source, 2, "weights", "source");
  EXPECT_THAT(report.missing,
              ::testing::UnorderedElementsAre("classifier.bias", "classifier.weight"));
  EXPECT_EQ(report.unexpected, (std::vector<std::string>{"cls.predictions.bias"}));
  EXPECT_TRUE(student->parameters()["classifier.weight"].equal(before));
}

TEST(InitializeStudent, LeavesOutAnotherTasksClassifierWhereItIsTrained) {
  TensorMap source = tiny_bert(1, 2)->parameters().to_tensors();
  source["classifier.weight"] = at::zeros({3, 16});
  source["classifier.bias"] = at::zeros({3});
  source["embeddings.position_ids"] = at::arange(4);
  const auto student = tiny_bert(2, 2);
  EXPECT_THAT(user_error_of([&] { initialize_student(*student, source, 2, "weights", "source"); }),
              HasSubstr("classifier.weight has shape (3, 16), the model expects (2, 16)"));
  const LoadReport report =
      initialize_student(*student, source, 2, "weights", "source", /*trained=*/true);
  EXPECT_THAT(report.missing,
              ::testing::UnorderedElementsAre("classifier.bias", "classifier.weight"));
  EXPECT_THAT(report.notes, ::testing::ElementsAre(HasSubstr("3 outputs, the task 2")));
  EXPECT_THAT(report.unexpected, ::testing::ElementsAre("embeddings.position_ids"));
  source["classifier.weight"] = at::zeros({2, 16}, at::kInt);
  source["classifier.bias"] = at::zeros({2});
  EXPECT_THAT(user_error_of([&] { initialize_student(*student, source, 2, "weights", "source"); }),
              HasSubstr("classifier.weight holds Int, not floats"));
}

TEST(InitializeStudent, ListsAllThatIsMissingOfTheEncoder) {
  TensorMap source = tiny_bert(1, 2)->parameters().to_tensors();
  source.erase("embeddings.LayerNorm.bias");
  source.erase("encoder.layer.1.output.dense.weight");
  const auto student = tiny_bert(2, 2);
  const std::string text =
      user_error_of([&] { initialize_student(*student, source, 2, "weights", "the source"); });
  EXPECT_THAT(text, HasSubstr("embeddings.LayerNorm.bias"));
  EXPECT_THAT(text, HasSubstr("encoder.layer.1.output.dense.weight"));
  EXPECT_THAT(text, HasSubstr("the source"));
}

TEST(Checkpoint, SavesWhatLoads) {
  const testing::TempFolder folder;
  const auto model = tiny_bert(1, 2);
  save_checkpoint(*model, folder.path());
  const TensorMap stored = read_safetensors(folder / "model.safetensors");
  EXPECT_EQ(stored.count("bert." + layer_name(1)), 1u);
  EXPECT_EQ(stored.count("bert.pooler.dense.bias"), 1u);
  EXPECT_EQ(stored.count("classifier.weight"), 1u);
  const auto loaded = tiny_bert(2, 2);
  const LoadReport report = initialize_from_checkpoint(*loaded, folder.path(), "weights");
  EXPECT_TRUE(report.missing.empty());
  EXPECT_TRUE(report.unexpected.empty());
  EXPECT_TRUE(loaded->parameters().values().equal(model->parameters().values()));
}

TEST(CheckVocabulary, AllowsPaddingRowsOnly) {
  const ModelConfig config = tiny_bert(1)->config();
  const auto error = [&](int64_t entries, const ModelConfig& model) {
    return user_error_of([&] { check_vocabulary("folder", entries, model); });
  };
  check_vocabulary("folder", config.vocabulary, config);
  check_vocabulary("folder", config.vocabulary - 3, config);
  EXPECT_THAT(error(config.vocabulary + 1, config),
              HasSubstr("folder: its vocabulary has 51 entries, the model's embedding 50 rows"));
  EXPECT_THAT(error(24, config), HasSubstr("24 entries"));
  ModelConfig uncased = config;
  uncased.vocabulary = 30522;
  check_vocabulary("folder", 30500, uncased);
  EXPECT_THAT(error(28996, uncased), HasSubstr("another model's"));  // the cased model's
}

}  // namespace
}  // namespace kdbench::initialization_test
