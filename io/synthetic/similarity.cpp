// SPDX-License-Identifier: MIT
// STS-B's format. What it tests: graded likeness composed of the parts' likeness. Agents, patients
// and deeds are compared in their roles: 4 points for the same, one less for each step between two
// beings in the tree of kinds, none under different roots or for another deed. The score is 5 times
// the share of the 12 points, halved when one sentence is denied and the other is not.
#include <fmt/format.h>

#include <algorithm>

#include "io/synthetic/corpora.h"
#include "io/synthetic/proposition.h"

namespace kdbench {
namespace {

constexpr int kMostPoints = 4;

int likeness(const std::string& being, const std::string& other) {
  const int steps = lexicon::distance(lexicon::beings(), being, other);
  return steps < 0 ? 0 : std::max(0, kMostPoints - steps);
}

// With three decimals, as the files have it; in integers, to be the same everywhere.
std::string score(const Proposition& first, const Proposition& second) {
  int points = likeness(first.agent, second.agent) + likeness(first.patient, second.patient) +
               (first.deed == second.deed ? kMostPoints : 0);
  if (first.negated == second.negated) points *= 2;
  const int thousandths = (5000 * points + 3 * kMostPoints) / (6 * kMostPoints);
  return fmt::format("{}.{:03}", thousandths / 1000, thousandths % 1000);
}

// The same being, one near it, or any.
std::string draw_being(const std::string& being, Draws& draws) {
  const size_t way = draws.below(100);
  if (way < 40) return being;
  for (;;) {
    const std::string& other = draws.pick(lexicon::beings()).word;
    const int steps = lexicon::distance(lexicon::beings(), being, other);
    if (way >= 75 || (steps > 0 && steps < kMostPoints)) return other;
  }
}

}  // namespace

SyntheticRow draw_similarity(Draws& draws) {
  const Proposition first = draw_proposition(draws);
  Proposition second = first;
  if (draws.percent(15)) std::swap(second.agent, second.patient);
  const std::string agent = second.agent, patient = second.patient;
  do {
    second.agent = draw_being(agent, draws);
    second.patient = draw_being(patient, draws);
  } while (second.agent == second.patient);
  if (draws.percent(30)) second.deed = draws.below(lexicon::deeds().size());
  second.negated = draws.percent(20);
  return {draw_wording(first, draws), draw_wording(second, draws), score(first, second)};
}

}  // namespace kdbench
