// SPDX-License-Identifier: MIT
#include "io/synthetic/proposition.h"

#include <algorithm>

namespace kdbench {

const lexicon::Words& particular_beings() {
  static const lexicon::Words words = [] {
    const auto& kinds = lexicon::beings();
    lexicon::Words found;
    for (const auto& kind : kinds) {
      const bool general = std::any_of(kinds.begin(), kinds.end(), [&](const lexicon::Kind& other) {
        return other.parent == kind.word;
      });
      if (!general) found.push_back(kind.word);
    }
    return found;
  }();
  return words;
}

const std::string& draw_other(const lexicon::Words& from, const std::string& present,
                              Draws& draws) {
  for (;;) {
    const std::string& word = draws.pick(from);
    if (word != present) return word;
  }
}

Proposition draw_proposition(Draws& draws) {
  Proposition proposition;
  proposition.agent = draws.pick(particular_beings());
  proposition.patient = draw_other(particular_beings(), proposition.agent, draws);
  proposition.deed = draws.below(lexicon::deeds().size());
  return proposition;
}

std::string draw_wording(const Proposition& proposition, Draws& draws) {
  const std::string verb =
      (proposition.negated ? "never " : "") + draws.pick(lexicon::deeds().at(proposition.deed));
  std::string text =
      draws.percent(50)
          ? "the " + proposition.agent + " " + verb + " the " + proposition.patient
          : "the " + proposition.patient + " was " + verb + " by the " + proposition.agent;
  for (const auto& circumstance : {proposition.place, proposition.time}) {
    if (circumstance.empty()) continue;
    const bool first = draws.percent(50) && text.find(" , ") == std::string::npos;
    text = first ? circumstance + " , " + text : text + " " + circumstance;
  }
  return text;
}

}  // namespace kdbench
