// SPDX-License-Identifier: MIT
#include "suite/models/first_words.h"

#include <ATen/ATen.h>
#include <fmt/core.h>

#include <algorithm>

#include "io/base/error.h"
#include "io/weights/word_vectors.h"
#include "methods/models/registry.h"

namespace kdbench {
namespace {

constexpr const char* kStream = "words";

void draw_word(const FirstValues& rule, uint64_t seed, const std::string& word, float* row,
               int64_t width) {
  if (rule.bound) {
    fill_uniform(seed, word, -*rule.bound, *rule.bound, row, width);
  } else {
    fill_normal(seed, word, rule.deviation.value_or(0.0), row, width);
  }
}

}  // namespace

int64_t set_first_words(Model& model, const std::vector<std::string>& words,
                        const std::optional<std::filesystem::path>& vectors, uint64_t seed) {
  const ModelConfig& config = model.config();
  const Architecture& architecture = find_architecture(config.architecture);
  const auto count = static_cast<int64_t>(words.size());
  at::Tensor rows = at::empty({count, config.embedding}, at::kFloat);
  auto* data = rows.mutable_data_ptr<float>();
  const FirstValues rule = architecture.first_values(architecture.word_tables.front(), config);
  const uint64_t stream = derive_seed(seed, kStream);
  for (int64_t id = 0; id < count; ++id)
    draw_word(rule, stream, words[id], data + id * config.embedding, config.embedding);
  FoundVectors found;
  if (vectors) {
    check_vectors(*vectors, config);
    found = read_word_vectors(*vectors, words);
  }
  for (size_t i = 0; i < found.words.size(); ++i)
    std::copy_n(found.values.data() + i * found.width, found.width,
                data + found.words[i] * found.width);
  const at::NoGradGuard no_gradients;
  for (const auto& table : architecture.word_tables) {
    if (model.parameters().layout().contains(table))
      model.parameters()[table].narrow(0, 0, count).copy_(rows);
  }
  return static_cast<int64_t>(found.words.size());
}

void check_vectors(const std::filesystem::path& vectors, const ModelConfig& config) {
  const int64_t width = word_vectors_width(vectors);
  if (width == config.embedding) return;
  throw_user_error(
      vectors.string(),
      fmt::format("its vectors have {} numbers, the model's {}", width, config.embedding),
      fmt::format("embedding = {}, or another file", width));
}

}  // namespace kdbench
