// SPDX-License-Identifier: MIT
// The keys of transfer sets by a language model (d-heavy, Tang et al. 2019, D19-6122), once for all
// who take them: flags of `generate`, keys of [transfer]. A new one is a member and a row of
// sample_keys().
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "suite/transfer/settings_key.h"

namespace kdbench {

// How texts are drawn from a language model.
struct SampleSettings {
  int64_t samples = 0;  // texts that are begun; 0: 20 a training row, of pairs 10
  double temperature = 1.0;
  int64_t top_k = 0;   // of the likeliest ids; 0: all
  double top_p = 1.0;  // of the likeliest ids, which together have this probability
  int64_t sample_length = 128;
  double infill_prob = 0.2;  // of a word, to be masked and filled
  int64_t sample_seed = 1111;

  int64_t count(int64_t rows, bool pair) const;
};

// How a language model reads a task's texts to learn them.
struct TextSettings {
  int64_t text_length = 128;  // ids of a row
  bool split_encode = true;
  bool conditioned = false;
  std::string only_label;  // empty: all rows
};

// All that makes a set of samples, beside the model.
struct LanguageSettings {
  SampleSettings sampling;
  TextSettings texts;
  bool fills_masks = false;  // the model is a MaskedModel, else a LanguageModel
};

using SampleKey = SettingsKey<LanguageSettings>;

// Of SampleSettings; of TextSettings.
const std::vector<SampleKey>& sample_keys();
const std::vector<SampleKey>& text_keys();

// Names of keys that mean something to one kind of language models alone: those that fill masks;
// those that go from left to right.
inline constexpr std::array kInfillKeys{"infill_prob"};
inline constexpr std::array kLeftToRightKeys{"split_encode", "conditioned_model"};

// The values of sample_keys(), of text_keys(), that mean something to the model.
nlohmann::json sampling_json(const LanguageSettings& settings);
nlohmann::json texts_json(const LanguageSettings& settings);

}  // namespace kdbench
