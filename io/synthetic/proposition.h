// SPDX-License-Identifier: MIT
// Who did what to whom, where and when: the meaning behind the paraphrase and similarity corpora,
// and the many ways to say it.
#pragma once

#include <string>

#include "io/synthetic/draws.h"
#include "io/synthetic/lexicon.h"

namespace kdbench {

struct Proposition {
  std::string agent, patient;  // two different beings
  size_t deed = 0;             // index into lexicon::deeds()
  bool negated = false;
  std::string place, time;  // may be empty
};

// The most particular beings: those that no other stands below.
const lexicon::Words& particular_beings();

// Affirmed, with particular beings, without place and time.
Proposition draw_proposition(Draws& draws);
// In active or passive voice, with either synonym, with place or time first or last.
std::string draw_wording(const Proposition& proposition, Draws& draws);

// One of `from` that is not `present`.
const std::string& draw_other(const lexicon::Words& from, const std::string& present, Draws& draws);

}  // namespace kdbench
