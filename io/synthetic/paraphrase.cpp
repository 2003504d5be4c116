// SPDX-License-Identifier: MIT
// MRPC's format. What it tests: paraphrase by word order and synonyms. Two sentences share nearly
// all their words; they say the same (active or passive, either synonym, circumstances first or
// last), or agent and patient are exchanged, or one part of the proposition is another.
#include "io/synthetic/corpora.h"
#include "io/synthetic/proposition.h"

namespace kdbench {
namespace {

Proposition with_circumstances(Draws& draws) {
  Proposition proposition = draw_proposition(draws);
  if (draws.percent(60)) proposition.place = draws.pick(lexicon::places());
  if (draws.percent(40)) proposition.time = draws.pick(lexicon::times());
  return proposition;
}

// The same proposition but for one thing.
Proposition changed(Proposition proposition, Draws& draws) {
  const size_t way = draws.below(100);
  if (way < 50) {
    std::swap(proposition.agent, proposition.patient);
  } else if (way < 65) {
    proposition.deed =
        (proposition.deed + 1 + draws.below(lexicon::deeds().size() - 1)) % lexicon::deeds().size();
  } else if (way < 80 && !proposition.place.empty()) {
    proposition.place = draw_other(lexicon::places(), proposition.place, draws);
  } else if (way < 90 && !proposition.time.empty()) {
    proposition.time = draw_other(lexicon::times(), proposition.time, draws);
  } else {
    proposition.negated = !proposition.negated;
  }
  return proposition;
}

}  // namespace

SyntheticRow draw_paraphrase(Draws& draws) {
  const Proposition first = with_circumstances(draws);
  const bool same = draws.percent(50);
  const Proposition second = same ? first : changed(first, draws);
  const std::string text = draw_wording(first, draws);
  std::string other = draw_wording(second, draws);
  while (other == text) other = draw_wording(second, draws);
  return {text, other, same ? "1" : "0"};
}

}  // namespace kdbench
