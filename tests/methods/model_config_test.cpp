// SPDX-License-Identifier: MIT
// Hugging Face folders as architectures read them: config.json, and the names of tensors.
#include "methods/models/model_config.h"

#include <gtest/gtest.h>

#include "io/base/sha256.h"
#include "io/weights/weight_files.h"
#include "methods/models/checkpoint.h"
#include "tests/io/rank_folder.h"
#include "tests/support/test_data.h"

namespace kdbench::huggingface_test {
namespace {

using nlohmann::json;
using testing::error_of;
using testing::RankFolder;

class ModelFolder : public ::testing::Test {
 protected:
  void config(const json& value) {
    testing::write_bytes(folder_.path / "config.json", value.dump());
  }
  static json small() {
    return {{"model_type", "bert"},   {"vocab_size", 100},        {"hidden_size", 48},
            {"num_hidden_layers", 2}, {"num_attention_heads", 4}, {"intermediate_size", 96},
            {"hidden_act", "gelu"}};
  }
  ModelConfig read(const json& changes) {
    json value = small();
    value.update(changes);
    config(value);
    return read_model_config(folder_.path);
  }

  RankFolder folder_;
};

TEST_F(ModelFolder, DefaultsOfWhatAConfigLeavesOut) {
  const ModelConfig found = read({{"hidden_dropout_prob", 0.2}, {"classifier_dropout", nullptr}});
  EXPECT_EQ(found.vocabulary, 100);
  EXPECT_EQ(found.layers, 2);
  EXPECT_EQ(found.max_positions, 512);
  EXPECT_EQ(found.token_types, 2);
  EXPECT_EQ(found.layer_norm_eps, 1e-12);
  EXPECT_EQ(found.hidden_dropout, 0.2);
  EXPECT_EQ(found.attention_dropout, 0.1);
  EXPECT_EQ(found.classifier_dropout, 0.2);
  EXPECT_TRUE(found.labels.empty());
}

TEST_F(ModelFolder, LabelsInTheOrderOfTheirIds) {
  json many = json::object();
  for (int i = 0; i < 12; ++i) many[std::to_string(i)] = "name " + std::to_string(i);
  const auto labels = read({{"id2label", many}}).labels;
  ASSERT_EQ(labels.size(), 12u);
  EXPECT_EQ(labels[2], "name 2");
  EXPECT_EQ(labels[10], "name 10");
  EXPECT_TRUE(read({{"id2label", {{"0", "LABEL_0"}, {"1", "LABEL_1"}}}}).labels.empty());
  EXPECT_EQ(read({{"id2label", {{"0", "LABEL_1"}, {"1", "LABEL_0"}}}}).labels.size(), 2u);
  EXPECT_HAS(error_of([&] {
               read({{"id2label", {{"0", "a"}, {"2", "b"}}}});
             }),
             "id2label: has no name for 1");
  EXPECT_HAS(error_of([&] {
               read({{"id2label", {{"0", "a"}, {"1", "a"}}}});
             }),
             "holds a name twice");
}

TEST_F(ModelFolder, AllProblemsAreReportedAtOnce) {
  json value = small();
  value.erase("vocab_size");
  value.update({{"model_type", "t5"},
                {"hidden_act", "gelu_new"},
                {"position_embedding_type", "relative_key"},
                {"num_attention_heads", 5},
                {"num_hidden_layers", 0},
                {"intermediate_size", "96"},
                {"type_vocab_size", -2},
                {"max_position_embeddings", int64_t{1} << 40},
                {"hidden_dropout_prob", 1.0}});
  config(value);
  const std::string error = error_of([&] { read_model_config(folder_.path); });
  for (const char* part :
       {"config.json:vocab_size: is missing", "model_type: \"t5\" is not supported",
        "hidden_act: \"gelu_new\"", "position_embedding_type",
        "num_attention_heads: must divide hidden_size",
        "num_hidden_layers: must be a whole number from 1 to 4096, is 0",
        "intermediate_size: must be a whole number", "type_vocab_size: must be a whole number",
        "max_position_embeddings: must be a whole number from 1 to 16777216, is 1099511627776",
        "hidden_dropout_prob"}) {
    EXPECT_HAS(error, part);
  }
  testing::write_bytes(folder_.path / "config.json", "{");
  EXPECT_HAS(error_of([&] { read_model_config(folder_.path); }),
             "config.json: is no JSON: parse error at line 1, column 2");
  const std::string deep(200000, '[');
  testing::write_bytes(folder_.path / "config.json", "{\"hidden_act\": " + deep);
  EXPECT_HAS(error_of([&] { read_model_config(folder_.path); }),
             "config.json: is nested too deeply");
  EXPECT_HAS(error_of([&] { read_model_config(folder_.path / "none"); }),
             "config.json: the file does not exist");
  std::filesystem::create_directories(folder_.path / "folder" / "config.json");
  EXPECT_HAS(error_of([&] { read_model_config(folder_.path / "folder"); }),
             "config.json: the file cannot be read");
}

TEST_F(ModelFolder, AConfigSurvivesARoundTrip) {
  ModelConfig written =
      read({{"id2label", {{"0", "no"}, {"1", "yes"}}}, {"classifier_dropout", 0.3}});
  config(to_config_json(written));
  const ModelConfig found = read_model_config(folder_.path);
  EXPECT_EQ(to_config_json(found), to_config_json(written));
  EXPECT_EQ(found.labels, (std::vector<std::string>{"no", "yes"}));
  EXPECT_EQ(to_config_json(found)["label2id"]["yes"], 1);
  EXPECT_EQ(to_config_json(found)["architectures"][0], "BertForSequenceClassification");
  written.labels.clear();
  config(to_config_json(written));
  EXPECT_TRUE(read_model_config(folder_.path).labels.empty());
}

TEST_F(ModelFolder, NamesAndTypesAreNormalised) {
  write_safetensors(folder_.path / "model.safetensors",
                    {{"bert.embeddings.LayerNorm.gamma", at::ones({3}, at::kHalf)},
                     {"bert.embeddings.LayerNorm.beta", at::zeros({3}, at::kDouble)},
                     {"pooler.dense.weight", at::full({2, 2}, 0.5, at::kBFloat16)},
                     {"classifier.bias", at::ones({2})}});
  const TensorMap found = read_checkpoint(folder_.path, "bert");
  std::vector<std::string> names;
  for (const auto& [name, tensor] : found) {
    names.push_back(name);
    EXPECT_EQ(tensor.scalar_type(), at::kFloat) << name;
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"classifier.bias", "embeddings.LayerNorm.bias",
                                      "embeddings.LayerNorm.weight", "pooler.dense.weight"}));
  EXPECT_TRUE(at::equal(found.at("embeddings.LayerNorm.weight"), at::ones({3})));
}

// The names of a wrapped model; beside them what others have left.
TEST_F(ModelFolder, AWrapperIsLeftOutAndNoted) {
  const auto save = [&](const TensorMap& tensors) {
    write_safetensors(folder_.path / "model.safetensors", tensors);
  };
  const at::Tensor one = at::ones({1});
  save({{"module.bert.embeddings.word_embeddings.weight", one},
        {"module.classifier.bias", one},
        {"criterion.weight", one}});
  testing::write_bytes(folder_.path / "pytorch_model.bin", "PK");
  std::vector<std::string> notes;
  const TensorMap found = read_checkpoint(folder_.path, "bert", &notes);
  EXPECT_TRUE(found.contains("embeddings.word_embeddings.weight"));
  EXPECT_TRUE(found.contains("classifier.bias"));
  EXPECT_TRUE(found.contains("criterion.weight"));
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_HAS(notes[0], "names begin with \"module.\"");
  EXPECT_HAS(notes[1], "not used: pytorch_model.bin");
  save({{"student.bert.embeddings.word_embeddings.weight", one},
        {"teacher.bert.embeddings.word_embeddings.weight", one}});
  EXPECT_HAS(error_of([&] { read_checkpoint(folder_.path, "bert"); }),
             "holds several models, below \"student.\", \"teacher.\"");
  save({{"roberta.embeddings.word_embeddings.weight", one}});
  EXPECT_HAS(error_of([&] { read_checkpoint(folder_.path, "bert"); }),
             "holds the weights of a roberta model");
}

TEST_F(ModelFolder, LabelsOfEitherTable) {
  const auto names = [](std::vector<std::string> list) { return list; };
  EXPECT_EQ(read({{"id2label", {{"0", 0}, {"1", 1}}}, {"label2id", {{"0", 0}, {"1", 1}}}}).labels,
            names({"0", "1"}));
  EXPECT_EQ(read({{"id2label", {{"0", "LABEL_0"}, {"1", "LABEL_1"}}},
                  {"label2id", {{"yes", 1}, {"no", 0}}}})
                .labels,
            names({"no", "yes"}));
  EXPECT_HAS(error_of([&] {
               read({{"id2label", {{"0", "a"}, {"1", "b"}}}, {"label2id", {{"a", 1}, {"b", 0}}}});
             }),
             "label2id: says b, a, id2label a, b");
  EXPECT_HAS(error_of([&] { read({{"id2label", {{"0", 0.5}}}}); }), "must be a text, is 0.5");
}

TEST_F(ModelFolder, KeysAreHonouredNamedOrRefused) {
  const ModelConfig found =
      read({{"finetuning_task", "sst2"}, {"transformers_version", "4"}, {"rope_theta", 1e4}});
  EXPECT_EQ(found.finetuned_on, "sst2");
  EXPECT_EQ(found.unused_keys, std::vector<std::string>{"rope_theta"});
  EXPECT_TRUE(read({{"is_decoder", false}, {"pruned_heads", json::object()}}).unused_keys.empty());
  for (const json& wrong :
       {json{{"is_decoder", true}}, json{{"pruned_heads", {{"0", {1}}}}},
        json{{"quantization_config", {{"bits", 8}}}}, json{{"auto_map", {{"AutoModel", "x.Y"}}}}}) {
    EXPECT_HAS(error_of([&] { read(wrong); }),
               "config.json:" + wrong.begin().key() + ": " + wrong.begin()->dump());
  }
}

TEST_F(ModelFolder, ATensorUnderTwoNamesIsRefused) {
  write_safetensors(
      folder_.path / "model.safetensors",
      {{"a.LayerNorm.gamma", at::ones({1})}, {"bert.a.LayerNorm.weight", at::ones({1})}});
  EXPECT_HAS(error_of([&] { read_checkpoint(folder_.path, "bert"); }),
             "twice under different names");
}

TEST(ModelFolders, OfTheTests) {
  int read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(testing::test_data("models"))) {
    if (!entry.is_directory()) continue;
    const auto& folder = entry.path();
    if (folder.filename() == "masked-bert") continue;  // without classes: masked_bert_test.cpp
    const json raw = json::parse(testing::file_bytes(folder / "config.json"));
    const ModelConfig config = read_model_config(folder);
    EXPECT_EQ(config.vocabulary, raw["vocab_size"]) << folder;
    const bool bilstm = config.architecture == "bilstm";
    EXPECT_EQ(config.hidden, bilstm ? 8 : 16) << folder;
    EXPECT_EQ(config.labels.size(), raw["id2label"].size()) << folder;
    EXPECT_EQ(config.hidden_dropout + config.attention_dropout + config.classifier_dropout, 0.0)
        << folder;
    const TensorMap weights = read_checkpoint(folder, config.architecture);
    const int64_t tables = config.vector_mode == "both" ? 2 : 1, head = config.fc > 0 ? 4 : 2;
    EXPECT_EQ(static_cast<int64_t>(weights.size()),
              bilstm ? tables + 8 + head : 5 + config.layers * 16 + 2 + 2)
        << folder;
    EXPECT_TRUE(weights.contains("classifier.weight")) << folder;
    ++read;
  }
  EXPECT_EQ(read, 17);
}

}  // namespace
}  // namespace kdbench::huggingface_test
