// SPDX-License-Identifier: MIT
#include "io/synthetic/lexicon.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace kdbench::lexicon {
namespace {

const Kind& find(const std::vector<Kind>& kinds, const std::string& word) {
  const auto found =
      std::find_if(kinds.begin(), kinds.end(), [&](const Kind& kind) { return kind.word == word; });
  if (found == kinds.end()) throw std::logic_error("'" + word + "' is not in the lexicon");
  return *found;
}

// The word itself first, its root last.
Words upwards(const std::vector<Kind>& kinds, const std::string& word) {
  Words way;
  for (std::string at = word; !at.empty(); at = find(kinds, at).parent) way.push_back(at);
  return way;
}

void add_phrase(std::string_view phrase, std::set<std::string>& words) {
  while (!phrase.empty()) {
    const size_t end = std::min(phrase.find(' '), phrase.size());
    words.emplace(phrase.substr(0, end));
    phrase.remove_prefix(std::min(end + 1, phrase.size()));
  }
}

}  // namespace

const Words& aspects() {
  static const Words words{"plot",    "cast",    "script",   "music", "film",    "story",  "pacing",
                           "ending",  "acting",  "dialogue", "humor", "score",   "camera", "hero",
                           "villain", "opening", "finale",   "tone",  "scenery", "singing"};
  return words;
}

const Words& praising() {
  static const Words words{"good",  "great", "warm",  "clever",   "fresh",
                           "sharp", "witty", "vivid", "graceful", "moving"};
  return words;
}

const Words& scolding() {
  static const Words words{"bad",  "awful", "cold",  "clumsy", "stale",
                           "dull", "silly", "bland", "messy",  "tedious"};
  return words;
}

const Words& persons() {
  static const Words words{"nurse", "pilot", "farmer", "singer", "senator", "guard", "boy", "girl"};
  return words;
}

const Words& verbs_alone() {
  static const Words words{"laugh", "sleep", "wait", "smile", "work"};
  return words;
}

const Words& verbs_with_object() {
  static const Words words{"admire", "see", "help", "follow", "trust"};
  return words;
}

const Words& adverbs() {
  static const Words words{"today", "again", "often", "alone", "here", "now"};
  return words;
}

const Words& places_between() {
  static const Words words{"near", "behind", "with", "beside"};
  return words;
}

const Words& traits() {
  static const Words words{"old", "small", "brown", "hungry", "tame", "quiet"};
  return words;
}

const std::vector<Words>& deeds() {
  static const std::vector<Words> pairs{{"chased", "pursued"},    {"helped", "aided"},
                                        {"greeted", "welcomed"},  {"watched", "observed"},
                                        {"scared", "frightened"}, {"found", "discovered"},
                                        {"fed", "nourished"},     {"freed", "released"}};
  return pairs;
}

const Words& places() {
  static const Words phrases{"in the park",       "near the river", "behind the house",
                             "beside the bridge", "on the hill",    "at the market"};
  return phrases;
}

const Words& times() {
  static const Words phrases{"at noon",   "at dawn",   "on monday",
                             "on sunday", "in spring", "in autumn"};
  return phrases;
}

const std::vector<Kind>& beings() {
  static const std::vector<Kind> kinds{
      {"animal", ""},       {"dog", "animal"},     {"bird", "animal"},  {"fish", "animal"},
      {"poodle", "dog"},    {"beagle", "dog"},     {"terrier", "dog"},  {"crow", "bird"},
      {"robin", "bird"},    {"sparrow", "bird"},   {"trout", "fish"},   {"salmon", "fish"},
      {"carp", "fish"},     {"human", ""},         {"worker", "human"}, {"artist", "human"},
      {"child", "human"},   {"nurse", "worker"},   {"pilot", "worker"}, {"farmer", "worker"},
      {"singer", "artist"}, {"painter", "artist"}, {"poet", "artist"},  {"boy", "child"},
      {"girl", "child"}};
  return kinds;
}

const std::vector<Kind>& motions() {
  static const std::vector<Kind> kinds{
      {"moves", ""},        {"walks", "moves"},  {"runs", "moves"},   {"strolls", "walks"},
      {"marches", "walks"}, {"limps", "walks"},  {"sprints", "runs"}, {"jogs", "runs"},
      {"eats", ""},         {"nibbles", "eats"}, {"feasts", "eats"},  {"sounds", ""},
      {"sings", "sounds"},  {"chants", "sings"}, {"hums", "sings"}};
  return kinds;
}

bool is_a(const std::vector<Kind>& kinds, const std::string& word, const std::string& above) {
  const Words way = upwards(kinds, word);
  return std::find(way.begin(), way.end(), above) != way.end();
}

int distance(const std::vector<Kind>& kinds, const std::string& from, const std::string& to) {
  const Words up = upwards(kinds, from), down = upwards(kinds, to);
  for (size_t i = 0; i < up.size(); ++i) {
    const auto meeting = std::find(down.begin(), down.end(), up[i]);
    if (meeting != down.end())
      return static_cast<int>(i) + static_cast<int>(meeting - down.begin());
  }
  return -1;
}

const Words& function_words() {
  static const Words words{"the",    "is",    "not",     "never",    "hardly", "really",
                           "always", "and",   "but",     "although", ",",      "it",
                           "false",  "that",  "nobody",  "everyone", "thinks", "i",
                           "doubt",  "know",  "critics", "deny",     "agree",  "true",
                           "some",   "every", "no",      "was",      "by"};
  return words;
}

std::set<std::string> all_words() {
  std::set<std::string> words;
  for (const auto* list : {&aspects(), &praising(), &scolding(), &adverbs(), &places_between(),
                           &traits(), &places(), &times(), &function_words()}) {
    for (const auto& phrase : *list) add_phrase(phrase, words);
  }
  for (const auto* list : {&persons(), &verbs_alone(), &verbs_with_object()}) {
    for (const auto& stem : *list) words.insert({stem, stem + "s"});
  }
  for (const auto& synonyms : deeds()) words.insert(synonyms.begin(), synonyms.end());
  for (const auto* kinds : {&beings(), &motions()}) {
    for (const auto& kind : *kinds) words.insert(kind.word);
  }
  return words;
}

}  // namespace kdbench::lexicon
