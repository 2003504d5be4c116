// SPDX-License-Identifier: MIT
// Every reader of io on damaged files: a result or a user error, no crash, no hang, no memory that
// only a false length asks for. The address sanitizer sees the rest.
#include "tests/support/mutation.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "io/stores/feature_store.h"
#include "io/stores/teacher_store_writer.h"
#include "io/tasks/glue.h"
#include "io/tokenizers/tokenizer.h"
#include "io/weights/safetensors.h"
#include "io/weights/weight_files.h"
#include "io/words/tagged_corpus.h"
#include "io/words/tagger_training.h"
#include "methods/models/model_config.h"
#include "tests/io/rank_folder.h"
#include "tests/support/tiny_bpe.h"

namespace kdbench::mutation_test {
namespace {

using testing::expect_reads_or_refuses;
using testing::file_bytes;

constexpr const char* kConfig = R"({"model_type": "bert", "vocab_size": 100, "hidden_size": 48,
  "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96, "hidden_act": "gelu",
  "layer_norm_eps": 1e-12, "hidden_dropout_prob": 0.1, "id2label": {"0": "no", "1": "yes"}})";

class Mutation : public ::testing::Test {
 protected:
  // `content` as a file of the folder, mutated `rounds` times for `read`.
  void expect_text(const std::string& name, const std::string& content, int rounds,
                   const std::function<void()>& read) {
    const auto file = folder_.path / name;
    std::filesystem::create_directories(file.parent_path());
    testing::write_bytes(file, content);
    ASSERT_NO_THROW(read()) << file;
    expect_reads_or_refuses(content, file, rounds, read);
  }
  void expect_file(const std::filesystem::path& file, int rounds,
                   const std::function<void()>& read) {
    ASSERT_NO_THROW(read()) << file;
    expect_reads_or_refuses(file_bytes(file), file, rounds, read);
  }

  testing::RankFolder folder_;
};

TEST_F(Mutation, Safetensors) {
  const auto file = folder_.path / "t.safetensors";
  write_safetensors(file,
                    {{"a.weight", at::ones({3, 4})},
                     {"b", at::ones({5}, at::kHalf)},
                     {"c", at::ones({2}, at::kLong)},
                     {"empty", at::empty({0, 7})}},
                    {{"format", "pt"}});
  expect_file(file, 4000, [&] { read_safetensors(file); });
}

TEST_F(Mutation, ShardedWeights) {
  write_safetensors(folder_.path / "one.safetensors", {{"a", at::ones({2})}});
  write_safetensors(folder_.path / "two.safetensors", {{"b", at::ones({2})}});
  expect_text("model.safetensors.index.json",
              R"({"metadata": {"total_size": 16},
                  "weight_map": {"a": "one.safetensors", "b": "two.safetensors"}})",
              1500, [&] { read_weight_files(folder_.path); });
}

TEST_F(Mutation, ModelConfig) {
  expect_text("config.json", kConfig, 3000, [&] { read_model_config(folder_.path); });
}

TEST_F(Mutation, VocabularyAndItsConfig) {
  const auto read = [&] { load_tokenizer(folder_.path)->encode("a b\xC3\xA4 unaffable [SEP]"); };
  expect_text("vocab.txt",
              "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##a\nun\n##aff\n##able\n\xC3\xA4\n", 1500,
              read);
  expect_text(
      "tokenizer_config.json",
      R"({"do_lower_case": true, "unk_token": {"content": "[UNK]"}, "mask_token": "[MASK]"})", 1500,
      read);
}

TEST_F(Mutation, ByteLevelVocabularyAndItsConfig) {
  const auto read = [&] { load_tokenizer(folder_.path)->encode("ab b\xC3\xA4 abc <mask>"); };
  testing::write_bpe(folder_.path, testing::tiny_bpe({{"a", "b"}, {"ab", "c"}, {"\u0120", "b"}}));
  expect_file(folder_.path / "vocab.json", 1500, read);
  expect_file(folder_.path / "merges.txt", 1500, read);
  expect_text("added_tokens.json", R"({"<s>": 0, "<pad>": 1})", 500, read);
  expect_text("tokenizer_config.json",
              R"({"add_prefix_space": true, "mask_token": {"content": "<mask>", "lstrip": true},
                  "added_tokens_decoder": {"0": {"content": "<s>", "lstrip": false}}})",
              1500, read);
}

constexpr const char* kWordPieceJson = R"({"added_tokens": [{"id": 3, "content": "[SEP]"}],
  "normalizer": {"type": "BertNormalizer", "lowercase": true, "strip_accents": null},
  "pre_tokenizer": {"type": "BertPreTokenizer"}, "model": {"type": "WordPiece",
  "unk_token": "[UNK]", "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4,
  "a": 5, "un": 6, "##aff": 7, "##able": 8}}})";

std::string byte_bpe_json() {
  const BpeVocabulary vocabulary = testing::tiny_bpe({{"a", "b"}, {"ab", "c"}});
  nlohmann::json ids;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) ids[vocabulary.tokens[id]] = id;
  const nlohmann::json json{
      {"added_tokens", {{{"id", 0}, {"content", "<s>"}}}},
      {"normalizer", nullptr},
      {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", true}}},
      {"model", {{"type", "BPE"}, {"vocab", ids}, {"merges", {"a b", {"ab", "c"}}}}}};
  return json.dump();
}

TEST_F(Mutation, TokenizerJson) {
  const auto read = [&] { read_tokenizer(folder_.path)->encode("abc b\xC3\xA4 unaffable [SEP]"); };
  expect_text("tokenizer.json", kWordPieceJson, 3000, read);
  expect_text("tokenizer.json", byte_bpe_json(), 3000, read);
  testing::write_bytes(folder_.path / "vocab.txt",
                       "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nun\n##aff\n##able\n");
  expect_text("tokenizer.json", kWordPieceJson, 1000, read);
}

TEST_F(Mutation, GlueFiles) {
  const auto read = [&](const char* task) {
    return [this, task] { read_glue(folder_.path, find_task(task), "train", 0); };
  };
  expect_text("RTE/train.tsv",
              "index\tsentence1\tsentence2\tlabel\n0\ta "
              "b\t\"c\tentailment\n1\t\xC3\xA4\td\tnot_entailment\n",
              2000, read("RTE"));
  expect_text("CoLA/train.tsv", "x\t1\t\ta b\nx\t0\t*\tb\n", 2000, read("CoLA"));
  expect_text(
      "STS-B/train.tsv",
      "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n"
      "0\tm\tf\t2012\t1\tx\ty\ta\tb\t4.25\n",
      2000, read("STS-B"));
}

TEST_F(Mutation, Tagger) {
  testing::write_bytes(folder_.path / "t.classes.json", R"(["DT", "NN"])");
  testing::write_bytes(folder_.path / "t.tagdict.json", R"({"the": "DT"})");
  const auto read = [&] { tagged(read_tagger(folder_.path), {"the", "dog"}); };
  expect_text("t.weights.json", R"({"bias": {"NN": 0.5}, "i word dog": {"NN": 1.25, "DT": -1.25}})",
              500, read);
  expect_text("t.tagdict.json", R"({"the": "DT", "dog": "NN"})", 500, read);
  expect_text("t.classes.json", R"(["DT", "NN"])", 500, read);
}

TEST_F(Mutation, TaggedCorpus) {
  const auto file = folder_.path / "corpus";
  const auto read = [&] { train_tagger(read_tagged_corpus(file), {.epochs = 1}); };
  expect_text("corpus", "the_DT dog_NN barks_VBZ\nso_RB it_PRP does_VBZ\n", 500, read);
  expect_text("corpus", "the DT O\ndog NN O\n\nso RB O\n", 500, read);
  expect_text("corpus", "# x\n1\tthe\tthe\tDET\tDT\t_\t2\tdet\t_\t_\n", 500, read);
}

TEST_F(Mutation, FeatureStore) {
  const auto file = folder_.path / "features.h5";
  FeatureSlice split;
  split.name = "train";
  split.source_sha256 = "source";
  split.tokens = {2, 5, 3, 2, 6, 7, 3};
  split.offsets = {0, 3, 7};
  split.first_segment = {3, 4};
  split.row_ids = {0, 1};
  split.labels = {"yes", "no"};
  FeatureStoreInfo info;
  info.task = "RTE";
  info.tokenizer_sha256 = "tokenizer";
  write_feature_store(file, MPI_COMM_SELF, info, {split});
  expect_file(file, 600, [&] { read_feature_store(file); });
}

TEST_F(Mutation, TeacherStore) {
  const auto file = folder_.path / "teacher.h5";
  TeacherSlice split;
  split.name = "train";
  split.source_sha256 = "source";
  split.row_ids = {0, 1, 2};
  split.label_order = {"no", "yes"};
  split.classes = 2;
  split.logits = {0.5f, -1, 2, 0, 1, 1};
  split.cls_layers = {1, 2};
  split.hidden_size = 2;
  split.cls.assign(12, 0.25f);
  TeacherStoreInfo info;
  info.task = "RTE";
  info.checkpoint_sha256 = "checkpoint";
  info.store_dtype = "bfloat16";
  write_teacher_store(file, MPI_COMM_SELF, info, {split});
  expect_file(file, 600, [&] { read_teacher_store(file); });
}

TEST_F(Mutation, HiddenStates) {
  const auto file = folder_.path / "hidden.h5";
  TeacherSlice split;
  split.name = "train";
  split.source_sha256 = "source";
  split.row_ids = {0, 1, 2};
  split.classes = 1;
  split.logits = {0.5f, -1, 2};
  split.hidden_size = 2;
  const auto fill = [&](TeacherStoreWriter& writer) {
    writer.hidden("train", {{3, 4}, 2, {0, 2, 2, 5}})
        .write({0, 1, 2}, std::vector<float>(20, 0.25f));
    writer.add(split);
  };
  write_teacher_store(file, MPI_COMM_SELF, {"STS-B", "", "float16"}, 1 << 16, fill);
  expect_file(file, 600, [&] {
    const TeacherStore store = read_teacher_store(file);
    for (const auto& [name, one] : store.splits) {
      if (!one->hidden) continue;
      one->hidden->verify(0, 1);
      const auto last = one->hidden->with_layers({4});
      if (last) last->read({0});
    }
  });
}

}  // namespace
}  // namespace kdbench::mutation_test
