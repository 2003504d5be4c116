// SPDX-License-Identifier: MIT
#include "suite/transfer/rule_keys.h"

#include "methods/options/option_specs.h"

namespace kdbench {
namespace {

constexpr const char* kProgram = "d-bert's augment_data";
constexpr const char* kPaper = "the paper, in d-bert 0";
constexpr const char* kSuite = "this suite";

using Paths = std::vector<std::filesystem::path>;

OptionSpec lengths() {
  OptionSpec spec{"window_lengths", TextRules().window_lengths,
                  "words of an n-gram, equally likely", kProgram};
  spec.range.low = 1;
  return spec;
}

OptionSpec path(const char* name, OptionValue type, const char* meaning) {
  OptionSpec spec{name, std::move(type), meaning, kSuite};
  spec.path = true;
  spec.absent = "none";
  return spec;
}

std::vector<RuleKey> make_keys() {
  using S = RuleSettings;
  const TextRules rules;
  return {
      {option::share("mask_prob", rules.mask_prob, "a word becomes [MASK]", kProgram),
       [](S& s) -> double& { return s.set.rules.mask_prob; }},
      {option::share("random_prob", rules.random_prob,
                     "a word becomes another of its part of speech", kProgram),
       [](S& s) -> double& { return s.set.rules.random_prob; }},
      {option::share("window_prob", rules.window_prob, "of a text only an n-gram is kept", kPaper),
       [](S& s) -> double& { return s.set.rules.window_prob; }},
      {lengths(), [](S& s) -> std::vector<int64_t>& { return s.set.rules.window_lengths; }},
      {option::share("single_only_prob", rules.single_only_prob,
                     "of pairs: one side alone varies, a or b alike",
                     "d-bert's augment_paired_data"),
       [](S& s) -> double& { return s.set.rules.single_only_prob; }},
      {option::count("n_iter", rules.n_iter, 0, "variations of a row; 0: 20, of pairs 10",
                     kProgram),
       [](S& s) -> int64_t& { return s.set.rules.n_iter; }},
      {option::flag("window_quirks", rules.window_quirks,
                    "as the original programs: no n-gram at a text's end, and a single text that "
                    "is not longer than its n-gram has no further variations",
                    kSuite),
       [](S& s) -> bool& { return s.set.rules.window_quirks; }},
      {option::flag("originals", TransferOptions().originals,
                    "the rows themselves too, before their variations", kProgram),
       [](S& s) -> bool& { return s.set.originals; }},
      {option::count("seed", rules.seed, 0, "of all draws", kProgram),
       [](S& s) -> int64_t& { return s.set.rules.seed; }},
      {path(
           "tagger", std::string(),
           "folder of a tagger: NLTK's averaged_perceptron_tagger_eng, or augment --save-tagger's"),
       [](S& s) -> std::filesystem::path& { return s.tagger.folder; }},
      {path("tagged_corpus", std::vector<std::string>(),
            "train a tagger from these: CoNLL-U, columns of word and tag, or word_TAG"),
       [](S& s) -> Paths& { return s.tagger.corpora; }},
  };
}

}  // namespace

const std::vector<RuleKey>& rule_keys() {
  static const std::vector<RuleKey> keys = make_keys();
  return keys;
}

nlohmann::json rules_json(const TransferOptions& options, bool pair) {
  nlohmann::json json = keys_json(rule_keys(), RuleSettings{options, {}});
  json["n_iter"] = options.rules.iterations(pair);
  if (!pair) json.erase("single_only_prob");
  return json;
}

}  // namespace kdbench
