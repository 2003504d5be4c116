// SPDX-License-Identifier: MIT
// Part-of-speech tags by an averaged perceptron (Collins 2002, "Discriminative training methods
// for hidden Markov models"), greedy from left to right, with the features of M. Honnibal's tagger,
// which NLTK's pos_tag is: so its model's files give its tags.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace kdbench {

// A sentence's words, and of a corpus their tags.
struct TaggedSentence {
  std::vector<std::string> words, tags;
};

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <typename T>
using TextMap = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

// Tags are numbers of `classes`, which are in ascending order, each once.
struct TaggerModel {
  using Weights = std::vector<std::pair<int32_t, double>>;

  std::vector<std::string> classes;
  TextMap<int32_t> certain;  // words that have one tag: it is taken without looking at weights
  TextMap<Weights> weights;  // of a feature, by class
};

// {"classes": [..], "tagdict": {word: tag}, "weights": {feature: {tag: weight}}}
nlohmann::json to_json(const TaggerModel& model);
// Throws a user error at `where` when there is something wrong with it.
TaggerModel tagger_of_json(const nlohmann::json& json, const std::string& where);

// A folder with one file each of NAME.weights.json, NAME.tagdict.json and NAME.classes.json, as
// NLTK's averaged_perceptron_tagger_eng. Throws a user error that names the file. Local.
TaggerModel read_tagger(const std::filesystem::path& folder);
// Writes tagger.{weights,tagdict,classes}.json into a new folder, which appears when they are
// complete. Throws machine errors. Local.
void write_tagger(const TaggerModel& model, const std::filesystem::path& folder);

// The class of the highest score; of equals the last one. `features` as perceptron_features
// makes them.
int32_t best_class(const TaggerModel& model, const std::vector<std::string>& features);

// A tag for each word. Local.
std::vector<std::string> tagged(const TaggerModel& model, const std::vector<std::string>& words);

}  // namespace kdbench
