// SPDX-License-Identifier: MIT
#include "suite/transfer/sample_keys.h"

#include "methods/options/option_specs.h"

namespace kdbench {
namespace {

constexpr const char* kSampler = "d-bert's sample_gpt";
constexpr const char* kFineTuning = "d-bert's finetune_gpt";
constexpr const char* kOurs = "this suite";

OptionSpec top_p(double fallback) {
  OptionSpec spec = option::share(
      "top_p", fallback,
      "an id is one of the likeliest that together have this probability; 1: any", kSampler);
  spec.range.low_open = true;
  return spec;
}

OptionSpec temperature(double fallback) {
  OptionSpec spec = option::weight("temperature", fallback, "divides the scores of ids", kSampler);
  spec.range.low_open = true;
  return spec;
}

OptionSpec label() {
  OptionSpec spec{"filter_label", std::string(), "the model learns rows with this label alone",
                  "d-bert's cache_datasets"};
  spec.absent = "all rows";
  return spec;
}

std::vector<SampleKey> make_sample_keys() {
  using L = LanguageSettings;
  const SampleSettings defaults;
  return {
      {option::count("samples", defaults.samples, 0,
                     "texts that are begun; 0: 20 a training row, of pairs 10", kOurs),
       [](L& s) -> int64_t& { return s.sampling.samples; }},
      {temperature(defaults.temperature), [](L& s) -> double& { return s.sampling.temperature; }},
      {option::count("top_k", defaults.top_k, 0, "an id is one of so many likeliest; 0: any",
                     kSampler),
       [](L& s) -> int64_t& { return s.sampling.top_k; }},
      {top_p(defaults.top_p), [](L& s) -> double& { return s.sampling.top_p; }},
      {option::count("sample_length", defaults.sample_length, 2,
                     "most ids of a text; one that does not end before is cut", kSampler),
       [](L& s) -> int64_t& { return s.sampling.sample_length; }},
      {option::share("infill_prob", defaults.infill_prob,
                     "of a model that fills masks: a word of a row becomes one", kSampler),
       [](L& s) -> double& { return s.sampling.infill_prob; }},
      {option::count("sample_seed", defaults.sample_seed, 0, "of all draws", kSampler),
       [](L& s) -> int64_t& { return s.sampling.sample_seed; }},
  };
}

std::vector<SampleKey> make_text_keys() {
  using L = LanguageSettings;
  const TextSettings defaults;
  return {
      {option::count("text_length", defaults.text_length, 2,
                     "ids of a text that the model learns; longer ones are cut", kFineTuning),
       [](L& s) -> int64_t& { return s.texts.text_length; }},
      {option::flag("split_encode", defaults.split_encode,
                    "a text is cut at a random character, and the halves are encoded apart",
                    kFineTuning),
       [](L& s) -> bool& { return s.texts.split_encode; }},
      {option::flag("conditioned_model", defaults.conditioned,
                    "of pairs: the model learns the second text alone, given the first",
                    kFineTuning),
       [](L& s) -> bool& { return s.texts.conditioned; }},
      {label(), [](L& s) -> std::string& { return s.texts.only_label; }},
  };
}

}  // namespace

int64_t SampleSettings::count(int64_t rows, bool pair) const {
  constexpr int64_t kOfSingle = 20, kOfPair = 10;
  return samples > 0 ? samples : rows * (pair ? kOfPair : kOfSingle);
}

const std::vector<SampleKey>& sample_keys() {
  static const std::vector<SampleKey> keys = make_sample_keys();
  return keys;
}

const std::vector<SampleKey>& text_keys() {
  static const std::vector<SampleKey> keys = make_text_keys();
  return keys;
}

nlohmann::json sampling_json(const LanguageSettings& settings) {
  nlohmann::json json = keys_json(sample_keys(), settings);
  if (!settings.fills_masks) {
    for (const char* name : kInfillKeys) json.erase(name);
  }
  return json;
}

nlohmann::json texts_json(const LanguageSettings& settings) {
  nlohmann::json json = keys_json(text_keys(), settings);
  if (settings.fills_masks) {
    for (const char* name : kLeftToRightKeys) json.erase(name);
  }
  return json;
}

}  // namespace kdbench
