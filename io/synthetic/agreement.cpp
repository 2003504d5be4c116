// SPDX-License-Identifier: MIT
// CoLA's format. What it tests: agreement of verb and subject across other nouns. Relative clauses
// and places stand between a noun and its verb and bring nouns of either number; a sentence is
// unacceptable because exactly one of its verbs has the wrong number.
#include "io/synthetic/corpora.h"
#include "io/synthetic/lexicon.h"

namespace kdbench {
namespace {

// How deep noun phrases stand in one another, and how often (%) one has another inside.
constexpr int kNesting = 2;
constexpr size_t kModified = 55;

class Sentence {
 public:
  explicit Sentence(Draws& draws) : draws_(draws) {
    const bool plural = noun_phrase(kNesting);
    verb(lexicon::verbs_alone(), plural);
    if (draws_.percent(50)) words_.push_back(draws_.pick(lexicon::adverbs()));
  }

  // Gives one verb the other number.
  void spoil() {
    Verb& verb = verbs_[draws_.below(verbs_.size())];
    words_[verb.place] = form(verb.stem, !verb.plural);
  }

  std::string text() const {
    std::string text;
    for (const auto& word : words_) text += (text.empty() ? "" : " ") + word;
    return text;
  }

 private:
  struct Verb {
    size_t place;  // in words_
    std::string stem;
    bool plural;
  };

  static std::string form(const std::string& stem, bool plural) {
    return plural ? stem : stem + "s";
  }

  void verb(const lexicon::Words& stems, bool plural) {
    verbs_.push_back({words_.size(), draws_.pick(stems), plural});
    words_.push_back(form(verbs_.back().stem, plural));
  }

  // Returns whether it is plural.
  bool noun_phrase(int nesting) {
    const bool plural = draws_.percent(50);
    words_.push_back("the");
    if (draws_.percent(40)) words_.push_back(draws_.pick(lexicon::traits()));
    words_.push_back(draws_.pick(lexicon::persons()) + (plural ? "s" : ""));
    if (nesting > 0 && draws_.percent(kModified)) modifier(plural, nesting - 1);
    return plural;
  }

  void modifier(bool plural, int nesting) {
    switch (draws_.below(3)) {
      case 0:  // near the boys
        words_.push_back(draws_.pick(lexicon::places_between()));
        noun_phrase(nesting);
        return;
      case 1: {  // that the boys admire
        words_.push_back("that");
        const bool inner = noun_phrase(nesting);
        verb(lexicon::verbs_with_object(), inner);
        return;
      }
      default:  // that admires the boys
        words_.push_back("that");
        verb(lexicon::verbs_with_object(), plural);
        noun_phrase(nesting);
    }
  }

  Draws& draws_;
  std::vector<std::string> words_;
  std::vector<Verb> verbs_;
};

}  // namespace

SyntheticRow draw_agreement(Draws& draws) {
  Sentence sentence(draws);
  const bool acceptable = draws.percent(50);
  if (!acceptable) sentence.spoil();
  return {sentence.text(), "", acceptable ? "1" : "0"};
}

}  // namespace kdbench
