// SPDX-License-Identifier: MIT
// A model's sizes and rates, and the config.json that holds them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace kdbench {

// What the models of all architectures may have; an architecture's entry says which of it counts,
// and what it is where nobody gives it.
struct ModelConfig {
  std::string architecture;  // name of its entry
  int64_t vocabulary = 0;
  int64_t layers = 0;
  int64_t hidden = 0;
  int64_t heads = 0;
  int64_t intermediate = 0;
  int64_t max_positions = 0;
  int64_t token_types = 0;
  double layer_norm_eps = 0.0;
  double hidden_dropout = 0.0;
  double attention_dropout = 0.0;
  double classifier_dropout = 0.0;
  double embedding_dropout = 0.0;  // where it is not the hidden one
  double initializer_range = 0.0;
  int64_t pad_token_id = 0;
  bool positions_after_padding = false;  // positions count on from the padding's row
  std::string activation;
  int64_t embedding = 0;  // width of a word's vector, where it is not the hidden width
  // Of Transformer-XL.
  int64_t head_size = 0;               // channels of a head
  int64_t memory = 0;                  // tokens before a segment that it sees
  int64_t segment = 0;                 // tokens that are read at a time
  int64_t clamp_length = -1;           // distances above it count as that; -1: none do
  int64_t cluster_division = 1;        // each cluster of words is so many times narrower
  bool same_length = false;            // every token sees `memory` tokens, itself included
  bool zero_memory = true;             // a text begins with zeros as memory; else with none
  std::vector<int64_t> cutoffs;        // first ids of the clusters but the first
  std::vector<bool> tied_projections;  // of clusters: in and out are one; absent: no
  int64_t fc = 0;                      // width of the layer before the classifier; 0: there is none
  bool pair = false;                   // it compares two texts, each read by itself
  bool whole_words = false;            // its tokens are words, not pieces
  std::string pooling;                 // what of a text's states is kept
  std::string vector_mode;          // where its words' vectors come from, and which of them learn
  std::vector<std::string> labels;  // in order; empty when a checkpoint does not name them
  // Of the config.json that it was read from, and not written to another: the task that it says the
  // model was fine-tuned on ("sst2"; "" when it says none), and the keys that are not known.
  std::string finetuned_on;
  std::vector<std::string> unused_keys;

  // Row of the position table that a row's first token has.
  int64_t first_position() const { return positions_after_padding ? pad_token_id + 1 : 0; }
  // Tokens of the longest row that there are positions for; without positions any.
  int64_t longest_row() const {
    return max_positions > 0 ? max_positions - first_position()
                             : std::numeric_limits<int64_t>::max();
  }
  bool ties_projection(size_t cluster) const {
    return cluster < tied_projections.size() && tied_projections[cluster];
  }
  // Of every place that drops.
  void set_dropout(double probability) {
    hidden_dropout = attention_dropout = classifier_dropout = embedding_dropout = probability;
  }
};

// What a folder is read as: what model_type names, or a language model where it can be that too.
enum class ModelForm { kNamed, kLanguage };

// Of a Hugging Face folder, by the entry that model_type names. Throws one user error listing all
// that is missing, of the wrong type or not supported (file and key).
ModelConfig read_model_config(const std::filesystem::path& folder,
                              ModelForm form = ModelForm::kNamed);
// config.json as transformers writes it (architectures, model_type, id2label, ...).
nlohmann::json to_config_json(const ModelConfig& config);

}  // namespace kdbench
