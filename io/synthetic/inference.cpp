// SPDX-License-Identifier: MIT
// MNLI's format. What it tests: hypernymy under quantifiers and negation ("every dog moves" entails
// "some poodle moves", not "every animal moves"). The label is computed from sets, so it is exact:
// a statement says of a set of individuals that it is empty or is not. Siblings among beings
// exclude each other; verbs and adjectives do not; every being that is named exists.
#include <algorithm>
#include <cstdint>

#include "io/synthetic/corpora.h"
#include "io/synthetic/lexicon.h"

namespace kdbench {
namespace {

using lexicon::Words;

enum class Quantifier { kSome, kEvery, kNo, kNotEvery };

struct Subject {
  std::string being;
  Words traits;
};

struct Statement {
  Quantifier quantifier;
  Subject subject;
  std::string verb;
};

// Individuals differ in four ways: whether they are the premise's subject, the hypothesis' subject,
// do what the premise's verb says, what the hypothesis' verb says. A set of such kinds of
// individuals is a mask of 16 bits; bit 8p + 4h + 2v + w.
using Kinds = uint16_t;

struct Fact {
  Kinds kinds;
  bool empty;
};

bool within(const Subject& narrow, const Subject& wide) {
  for (const auto& trait : wide.traits) {
    if (std::find(narrow.traits.begin(), narrow.traits.end(), trait) == narrow.traits.end()) {
      return false;
    }
  }
  return lexicon::is_a(lexicon::beings(), narrow.being, wide.being);
}

bool related(const Subject& a, const Subject& b) {
  const auto& beings = lexicon::beings();
  return lexicon::is_a(beings, a.being, b.being) || lexicon::is_a(beings, b.being, a.being);
}

// What there can be of a premise and a hypothesis.
class Pair {
 public:
  Pair(const Statement& premise, const Statement& hypothesis)
      : premise_(premise), hypothesis_(hypothesis) {
    const auto& motions = lexicon::motions();
    const bool premise_within = within(premise.subject, hypothesis.subject);
    const bool hypothesis_within = within(hypothesis.subject, premise.subject);
    const bool can_be_both = related(premise.subject, hypothesis.subject);
    const bool verb_within = lexicon::is_a(motions, premise.verb, hypothesis.verb);
    const bool other_verb_within = lexicon::is_a(motions, hypothesis.verb, premise.verb);
    for (int kind = 0; kind < 16; ++kind) {
      const bool p = kind & 8, h = kind & 4, v = kind & 2, w = kind & 1;
      const bool impossible = (p && !h && premise_within) || (h && !p && hypothesis_within) ||
                              (p && h && !can_be_both) || (v && !w && verb_within) ||
                              (w && !v && other_verb_within);
      if (!impossible) possible_ |= static_cast<Kinds>(1 << kind);
    }
  }

  std::string label() const {
    const Fact premise = fact(premise_, kPremise, kPremiseVerb);
    const Fact hypothesis = fact(hypothesis_, kHypothesis, kHypothesisVerb);
    if (follows(premise, hypothesis)) return "entailment";
    if (follows(premise, {hypothesis.kinds, !hypothesis.empty})) return "contradiction";
    return "neutral";
  }

 private:
  static constexpr Kinds kPremise = 0xFF00, kHypothesis = 0xF0F0, kPremiseVerb = 0xCCCC,
                         kHypothesisVerb = 0xAAAA;

  Fact fact(const Statement& statement, Kinds subject, Kinds verb) const {
    const auto doing = static_cast<Kinds>(possible_ & subject & verb);
    const auto not_doing = static_cast<Kinds>(possible_ & subject & ~verb);
    switch (statement.quantifier) {
      case Quantifier::kSome:
        return {doing, false};
      case Quantifier::kNo:
        return {doing, true};
      case Quantifier::kEvery:
        return {not_doing, true};
      default:
        return {not_doing, false};
    }
  }

  static bool subset(int part, int whole) { return (part & ~whole) == 0; }

  // Both subjects exist: a kind of theirs that is not ruled out.
  bool follows(const Fact& known, const Fact& asked) const {
    if (asked.empty) return known.empty && subset(asked.kinds, known.kinds);
    if (!known.empty && subset(known.kinds, asked.kinds)) return true;
    const int left = known.empty ? possible_ & ~known.kinds : possible_;
    return subset(left & kPremise, asked.kinds) || subset(left & kHypothesis, asked.kinds);
  }

  const Statement& premise_;
  const Statement& hypothesis_;
  Kinds possible_ = 0;
};

std::string text_of(const Statement& statement) {
  static const Words quantifiers{"some", "every", "no", "not every"};
  std::string text = quantifiers.at(static_cast<size_t>(statement.quantifier));
  for (const auto& trait : statement.subject.traits) text += " " + trait;
  return text + " " + statement.subject.being + " " + statement.verb;
}

// The same word, one above or below it, or any.
std::string draw_kin(const std::vector<lexicon::Kind>& kinds, const std::string& word,
                     Draws& draws) {
  const size_t way = draws.below(100);
  if (way < 30) return word;
  for (;;) {
    const std::string& other = draws.pick(kinds).word;
    const bool kin = lexicon::is_a(kinds, word, other) || lexicon::is_a(kinds, other, word);
    if (way >= 80 || (kin && other != word)) return other;
  }
}

Words draw_traits(size_t number, Draws& draws) {
  Words traits = lexicon::traits();
  draws.shuffle(traits);
  traits.resize(number);
  return traits;
}

SyntheticRow draw_pair(size_t most_traits, bool as_many, Draws& draws) {
  const auto draw_quantifier = [&] { return static_cast<Quantifier>(draws.below(4)); };
  Statement premise{draw_quantifier(),
                    {draws.pick(lexicon::beings()).word, {}},
                    draws.pick(lexicon::motions()).word};
  premise.subject.traits = draw_traits(as_many ? most_traits : draws.below(most_traits + 1), draws);
  Statement hypothesis{draw_quantifier(),
                       {draw_kin(lexicon::beings(), premise.subject.being, draws), {}},
                       draw_kin(lexicon::motions(), premise.verb, draws)};
  Words& traits = hypothesis.subject.traits;
  traits =
      draws.percent(60) ? premise.subject.traits : draw_traits(draws.below(most_traits + 1), draws);
  return {text_of(premise), text_of(hypothesis), Pair(premise, hypothesis).label()};
}

}  // namespace

SyntheticRow draw_inference(Draws& draws) { return draw_pair(1, false, draws); }

SyntheticRow draw_longer_inference(Draws& draws) { return draw_pair(2, true, draws); }

}  // namespace kdbench
