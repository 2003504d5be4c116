// SPDX-License-Identifier: MIT
// SST-2's format. What it tests: negation and its scope. An adjective judges, each denial before it
// ("i doubt that", "is not") turns the judgement round, and of two clauses only the main one
// counts: the one after "but", or the one that "although" does not introduce.
#include "io/synthetic/corpora.h"
#include "io/synthetic/lexicon.h"

namespace kdbench {
namespace {

using lexicon::Words;

const Words& denials() {
  static const Words frames{"it is false that", "nobody thinks that", "i doubt that",
                            "critics deny that"};
  return frames;
}

const Words& assents() {
  static const Words frames{"it is true that", "everyone thinks that", "i know that",
                            "critics agree that"};
  return frames;
}

const Words& plain_copulas() {
  static const Words copulas{"is", "is always", "is really"};
  return copulas;
}

const Words& negated_copulas() {
  static const Words copulas{"is not", "is never", "is hardly"};
  return copulas;
}

struct Clause {
  std::string text;
  bool good;
};

Clause draw_clause(Draws& draws) {
  Clause clause;
  clause.good = draws.percent(50);
  const bool denied_outside = draws.percent(30), denied_inside = draws.percent(30);
  if (denied_outside || draws.percent(50)) {
    clause.text = draws.pick(denied_outside ? denials() : assents()) + " ";
  }
  clause.text += "the " + draws.pick(lexicon::aspects());
  clause.text += " " + draws.pick(denied_inside ? negated_copulas() : plain_copulas());
  clause.text += " " + draws.pick(clause.good ? lexicon::praising() : lexicon::scolding());
  if (denied_outside != denied_inside) clause.good = !clause.good;
  return clause;
}

SyntheticRow row_of(const std::string& text, const Clause& main) {
  return {text, "", main.good ? "1" : "0"};
}

}  // namespace

SyntheticRow draw_sentiment(Draws& draws) {
  const Clause first = draw_clause(draws);
  if (draws.percent(40)) return row_of(first.text, first);
  const Clause second = draw_clause(draws);
  switch (draws.below(3)) {
    case 0:
      return row_of(first.text + " but " + second.text, second);
    case 1:
      return row_of("although " + first.text + " , " + second.text, second);
    default:
      return row_of(first.text + " although " + second.text, first);
  }
}

}  // namespace kdbench
