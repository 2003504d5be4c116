// SPDX-License-Identifier: MIT
// Random weights from a generator of their own, so that no change of kdbench's moves them.
#include <algorithm>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "io/base/text.h"
#include "io/tasks/glue.h"
#include "io/tokenizers/tokenizer.h"
#include "io/tokenizers/word_vocabulary.h"
#include "io/weights/safetensors.h"
#include "methods/models/bilstm.h"
#include "methods/models/checkpoint.h"
#include "methods/models/registry.h"
#include "tests/data/make/make.h"
#include "tests/methods/small_batch.h"

namespace kdbench::make_data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kHidden = 16, kCentroids = 6;

// The same on every platform: uniform in [-size, size).
at::Tensor uniform(const std::vector<int64_t>& shape, double size, const std::string& key) {
  std::seed_seq seed(key.begin(), key.end());
  std::mt19937_64 random(seed);
  at::Tensor values = at::empty(shape, at::kFloat);
  float* to = values.data_ptr<float>();
  for (int64_t i = 0; i < values.numel(); ++i) {
    to[i] = static_cast<float>(size * (0x1p-52 * static_cast<double>(random() >> 11) - 1.0));
  }
  return values;
}

// About as large as those of a trained network; no bias is 0 and no factor 1.
void fill(Model& model, const std::string& folder) {
  const at::NoGradGuard no_gradients;
  for (const auto& segment : model.parameters().layout().tensors()) {
    const std::string& name = segment.name;
    const bool factor = name.ends_with("LayerNorm.weight");
    const bool vectors = name.find("word_embeddings") != std::string::npos ||
                         name.starts_with("embedding.") || name.starts_with("embedding_static.");
    const double size = vectors ? 1.0 : name.ends_with("weight") && !factor ? 0.5 : 0.25;
    const at::Tensor values = uniform(segment.shape, size, folder + ":" + name);
    model.parameters()[name].copy_(factor ? values + 1.0F : values);
  }
}

ModelSpec spec_of(const Task& task, int64_t layers, int64_t vocabulary) {
  ModelSpec spec;
  spec.config = find_architecture("bert").defaults;
  spec.config.vocabulary = vocabulary;
  spec.config.layers = layers;
  spec.config.hidden = kHidden;
  spec.config.heads = 2;
  spec.config.intermediate = 32;
  spec.config.max_positions = 64;
  spec.config.set_dropout(0.0);
  spec.config.labels = task.regression() ? std::vector<std::string>{"score"} : task.labels;
  spec.outputs = static_cast<int64_t>(spec.config.labels.size());
  return spec;
}

std::unique_ptr<Model> make_model_folder(const fs::path& data, const Task& task,
                                         const std::string& name, int64_t layers) {
  const fs::path vocabulary = data / "rows/vocab.txt", folder = data / "models" / name;
  std::ifstream lines(vocabulary);
  int64_t pieces = 0;
  for (std::string line; std::getline(lines, line);) ++pieces;
  auto model = make_model(spec_of(task, layers, pieces));
  fill(*model, name);
  fs::create_directories(folder);
  save_checkpoint(*model, folder);
  fs::copy_file(vocabulary, folder / "vocab.txt", fs::copy_options::overwrite_existing);
  return model;
}

// The words of the training rows: those of dev rows alone are unknown.
std::string own_words(const fs::path& data, const Task& task) {
  WordCollector words;
  for (const auto& row : read_glue(data / "rows", task, "train").rows) {
    words.add(row.text_a);
    words.add(row.text_b);
  }
  std::string text;
  for (const auto& word : words.vocabulary()) text += word + "\n";
  return text;
}

// d-bert's form by words, or ProKT's (`pooling` "max") by the rows' pieces.
void make_bilstm_folder(const fs::path& data, const Task& task, const std::string& name,
                        const char* pooling, const char* mode) {
  const bool by_words = std::string(pooling) == "final";
  const std::string text =
      by_words ? own_words(data, task) : read_text_file(data / "rows/vocab.txt");
  const Architecture& entry = find_architecture("bilstm");
  ModelSpec spec;
  spec.config = entry.defaults;
  spec.config.vocabulary = std::count(text.begin(), text.end(), '\n');
  spec.config.embedding = 12;
  spec.config.hidden = 8;
  spec.config.fc = 10;
  spec.config.pooling = pooling;
  spec.config.vector_mode = mode;
  entry.adapt(spec.config, {}, {.pair = task.pair(), .whole_words = by_words});
  spec.config.set_dropout(0.0);
  spec.config.labels = task.labels;
  const auto model = make_model(spec);
  fill(*model, name);
  const fs::path folder = data / "models" / name;
  fs::create_directories(folder);
  save_checkpoint(*model, folder);
  std::ofstream(folder / "vocab.txt", std::ios::binary) << text;
}

Batch rows_as_batch(const fs::path& data, const Task& task, const std::string& split) {
  const auto tokenizer = load_tokenizer(data / "rows");
  std::vector<std::vector<int64_t>> tokens;
  std::vector<int64_t> first_segment, ids;
  for (const auto& row : read_glue(data / "rows", task, split).rows) {
    const std::string_view b = row.text_b;
    const Encoding encoding = tokenizer->encode_row(row.text_a, &b, 40);
    tokens.emplace_back(encoding.ids.begin(), encoding.ids.end());
    first_segment.push_back(encoding.first_segment);
    ids.push_back(row.row_id);
  }
  return testing::make_batch(tokens, first_segment, ids);
}

// As another program would store them: what PKD reads.
void write_outputs(const fs::path& data, const Task& task, Model& teacher,
                   const std::string& name) {
  ForwardMode mode;
  mode.cls_states = true;
  const Outputs outputs = teacher.forward(rows_as_batch(data, task, "train"), mode);
  write_safetensors(data / "models" / (name + "-outputs.safetensors"),
                    {{"train_logits", outputs.logits}, {"train_cls", outputs.cls}});
}

void write_memory(const fs::path& data, const std::string& name, int64_t length) {
  const auto part = [&](const char* role) {
    return uniform({kCentroids, length * kHidden}, 1.0, name + ":" + role);
  };
  write_safetensors(data / "models" / (name + "-memory.safetensors"),
                    {{"teacher", part("teacher")}, {"student", part("student")}});
}

}  // namespace

void make_models(const fs::path& data) {
  const at::NoGradGuard no_gradients;
  for (const auto& [name, task] : {std::pair<std::string, std::string>{"rte", "RTE"},
                                   {"cola", "CoLA"},
                                   {"stsb", "STS-B"},
                                   {"mnli", "MNLI"}}) {
    make_model_folder(data, find_task(task), name + "-teacher", 4);
    make_model_folder(data, find_task(task), name + "-student", 2);
  }
  for (const auto& [name, task] :
       {std::pair<std::string, std::string>{"rte", "RTE"}, {"mnli", "MNLI"}}) {
    const std::string teacher = name + "-deep-teacher";
    const auto model = make_model_folder(data, find_task(task), teacher, 6);
    make_model_folder(data, find_task(task), name + "-deep-student", 3);
    write_outputs(data, find_task(task), *model, teacher);
  }
  for (const auto& [name, task] :
       {std::pair<std::string, std::string>{"rte", "RTE"}, {"cola", "CoLA"}}) {
    make_bilstm_folder(data, find_task(task), name + "-bilstm", "final", vector_mode::kRandom);
    make_bilstm_folder(data, find_task(task), name + "-max-bilstm", "max", vector_mode::kRandom);
  }
  make_bilstm_folder(data, find_task("CoLA"), "cola-both-bilstm", "final", vector_mode::kBoth);
  write_memory(data, "rte", 40);
  write_memory(data, "cola", 24);
}

}  // namespace kdbench::make_data
