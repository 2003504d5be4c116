// SPDX-License-Identifier: MIT
// Every label of the synthetic corpora, found a second time: the text is parsed back by rules and
// word lists of this file alone, and its meaning worked out another way than the grammars do.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "io/synthetic/synthetic.h"
#include "io/tasks/glue.h"
#include "tests/support/temp_folder.h"

namespace kdbench::synthetic_labels_test {
namespace {

using Words = std::vector<std::string>;

Words words_of(const std::string& text) {
  std::istringstream stream(text);
  Words words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool one_of(const std::string& word, const std::set<std::string>& words) {
  return words.count(word) > 0;
}

// The labelled rows of a task's synthetic files.
std::vector<GlueRow> labelled_rows(const std::string& name, int64_t train_rows, int64_t dev_rows) {
  const testing::TempFolder folder;
  SyntheticSettings settings;
  settings.train_rows = train_rows;
  settings.dev_rows = dev_rows;
  settings.test_rows = 1;
  for (const auto& file : make_synthetic_files(name, settings)) {
    folder.write(name + "/" + file.split + ".tsv", file.content);
  }
  const Task& task = find_task(name);
  std::vector<GlueRow> rows = read_glue(folder.path(), task, "train").rows;
  for (const auto& split : task.dev_splits()) {
    for (const auto& row : read_glue(folder.path(), task, split).rows) rows.push_back(row);
  }
  return rows;
}

// The part of the text that counts.
std::string main_clause(const std::string& text) {
  const auto after = [&](const std::string& mark) {
    return text.substr(text.find(mark) + mark.size());
  };
  if (text.find(" but ") != std::string::npos) return after(" but ");
  if (text.rfind("although ", 0) == 0) return after(" , ");
  return text.substr(0, text.find(" although "));
}

TEST(SyntheticLabels, Sentiment) {
  const std::set<std::string> turning{"false", "nobody", "doubt", "deny", "not", "never", "hardly"};
  const std::set<std::string> praise{"good",  "great", "warm",  "clever",   "fresh",
                                     "sharp", "witty", "vivid", "graceful", "moving"};
  std::map<int64_t, int> seen;  // rows with so many negations
  for (const auto& row : labelled_rows("SST-2", 1000, 200)) {
    const Words words = words_of(main_clause(row.text_a));
    const auto negations = std::count_if(words.begin(), words.end(),
                                         [&](const auto& word) { return one_of(word, turning); });
    const bool good = one_of(words.back(), praise) == (negations % 2 == 0);
    EXPECT_EQ(row.label, good ? "1" : "0") << row.text_a;
    ++seen[negations];
  }
  for (const int negations : {0, 1, 2}) EXPECT_GT(seen[negations], 50) << negations;
}

// Reads "the old boy near the girls that ..." and counts the verbs that do not agree.
class AgreementParser {
 public:
  explicit AgreementParser(const std::string& text) : words_(words_of(text)) {
    const bool plural = noun_phrase();
    verb(plural);
    if (one_of(ahead(), {"today", "again", "often", "alone", "here", "now"})) take();
    EXPECT_EQ(next_, words_.size()) << text;
  }
  int wrong = 0;
  int nouns = 0;

 private:
  std::string take() { return next_ < words_.size() ? words_[next_++] : ""; }
  std::string ahead() const { return next_ < words_.size() ? words_[next_] : ""; }

  // "laughs" is one person's, "laugh" that of several; nouns the other way round.
  void verb(bool plural) { wrong += take().ends_with("s") == plural; }

  bool noun_phrase() {
    EXPECT_EQ(take(), "the");
    if (one_of(ahead(), {"old", "small", "brown", "hungry", "tame", "quiet"})) take();
    const bool plural = take().ends_with("s");
    ++nouns;
    if (one_of(ahead(), {"near", "behind", "with", "beside"})) {
      take();
      noun_phrase();
    } else if (ahead() == "that") {
      take();
      if (ahead() == "the") {
        verb(noun_phrase());
      } else {
        verb(plural);
        noun_phrase();
      }
    }
    return plural;
  }

  Words words_;
  size_t next_ = 0;
};

TEST(SyntheticLabels, Agreement) {
  std::map<int, int> seen;  // rows with so many nouns
  for (const auto& row : labelled_rows("CoLA", 1000, 200)) {
    const AgreementParser parsed(row.text_a);
    EXPECT_LE(parsed.wrong, 1) << row.text_a;
    EXPECT_EQ(row.label, parsed.wrong == 0 ? "1" : "0") << row.text_a;
    ++seen[parsed.nouns];
  }
  for (const int nouns : {1, 2, 3}) EXPECT_GT(seen[nouns], 50) << nouns;
}

struct Event {
  std::string agent, patient, deed;
  bool negated = false;
  std::multiset<std::string> circumstances;  // their words
  bool operator==(const Event&) const = default;
};

// "[place ,] the A [never] chased the B ..." or "the B was [never] chased by the A ...".
Event event_of(const std::string& text) {
  static const std::map<std::string, std::string> synonyms{
      {"pursued", "chased"},   {"aided", "helped"},      {"welcomed", "greeted"},
      {"observed", "watched"}, {"frightened", "scared"}, {"discovered", "found"},
      {"nourished", "fed"},    {"released", "freed"}};
  Event event;
  std::string rest = text;
  if (const size_t comma = text.find(" , "); comma != std::string::npos) {
    for (const auto& word : words_of(text.substr(0, comma))) event.circumstances.insert(word);
    rest = text.substr(comma + 3);
  }
  const Words words = words_of(rest);
  size_t next = 0;
  const auto expect = [&](const std::string& word) { EXPECT_EQ(words.at(next++), word) << text; };
  expect("the");
  std::string first = words.at(next++);
  const bool passive = words.at(next) == "was";
  if (passive) ++next;
  event.negated = words.at(next) == "never";
  if (event.negated) ++next;
  event.deed = words.at(next++);
  if (const auto synonym = synonyms.find(event.deed); synonym != synonyms.end()) {
    event.deed = synonym->second;
  }
  if (passive) expect("by");
  expect("the");
  event.agent = first;
  event.patient = words.at(next++);
  if (passive) std::swap(event.agent, event.patient);
  for (; next < words.size(); ++next) event.circumstances.insert(words[next]);
  return event;
}

TEST(SyntheticLabels, Paraphrase) {
  int exchanged = 0;
  for (const auto& row : labelled_rows("MRPC", 1000, 200)) {
    const Event first = event_of(row.text_a), second = event_of(row.text_b);
    EXPECT_NE(row.text_a, row.text_b);
    EXPECT_EQ(row.label, first == second ? "1" : "0") << row.text_a << " / " << row.text_b;
    exchanged += first.agent == second.patient && first.patient == second.agent;
  }
  EXPECT_GT(exchanged, 200);
}

// A being with all that it is, from the most general.
const std::map<std::string, std::string>& ways() {
  static const std::map<std::string, std::string> ways = [] {
    std::map<std::string, std::string> found;
    for (const char* way : {"animal dog poodle",   "animal dog beagle",    "animal dog terrier",
                            "animal bird crow",    "animal bird robin",    "animal bird sparrow",
                            "animal fish trout",   "animal fish salmon",   "animal fish carp",
                            "human worker nurse",  "human worker pilot",   "human worker farmer",
                            "human artist singer", "human artist painter", "human artist poet",
                            "human child boy",     "human child girl",     "moves walks strolls",
                            "moves walks marches", "moves walks limps",    "moves runs sprints",
                            "moves runs jogs",     "eats nibbles",         "eats feasts",
                            "sounds sings chants", "sounds sings hums"}) {
      std::string so_far;
      for (const auto& word : words_of(way)) {
        so_far += " " + word;
        found[word] = so_far;
      }
    }
    return found;
  }();
  return ways;
}

bool is(const std::string& word, const std::string& general) {
  return (ways().at(word) + " ").find(" " + general + " ") != std::string::npos;
}

int likeness(const std::string& a, const std::string& b) {
  const Words first = words_of(ways().at(a)), second = words_of(ways().at(b));
  size_t common = 0;
  while (common < std::min(first.size(), second.size()) && first[common] == second[common])
    ++common;
  if (common == 0) return 0;
  return std::max(0, 4 - static_cast<int>(first.size() + second.size() - 2 * common));
}

TEST(SyntheticLabels, Similarity) {
  std::set<std::string> scores;
  for (const auto& row : labelled_rows("STS-B", 1000, 200)) {
    const Event first = event_of(row.text_a), second = event_of(row.text_b);
    double share = likeness(first.agent, second.agent) + likeness(first.patient, second.patient) +
                   (first.deed == second.deed ? 4.0 : 0.0);
    share /= 12.0;
    if (first.negated != second.negated) share /= 2.0;
    EXPECT_NEAR(std::stod(row.label), 5.0 * share, 0.00051) << row.text_a << " / " << row.text_b;
    scores.insert(row.label);
  }
  EXPECT_GT(scores.size(), 15U);
}

struct Statement {
  std::string quantifier, being, verb;
  std::set<std::string> traits;
};

Statement statement_of(const std::string& text) {
  Words words = words_of(text);
  Statement statement;
  statement.quantifier = words.front();
  if (words.front() == "not") {
    EXPECT_EQ(words.at(1), "every");
    words.erase(words.begin());
  }
  statement.verb = words.back();
  statement.being = words.at(words.size() - 2);
  statement.traits = {words.begin() + 1, words.end() - 2};
  return statement;
}

// An individual, as far as two statements can tell individuals apart.
struct Individual {
  bool subject[2], acts[2];
};

// All individuals that there can be: of every kind (a dog need be no dog that has a name), with any
// traits, doing anything; who strolls also walks.
std::vector<Individual> individuals(const Statement& first, const Statement& second) {
  std::set<std::string> traits = first.traits;
  traits.insert(second.traits.begin(), second.traits.end());
  const Words names(traits.begin(), traits.end());
  std::map<int, Individual> found;
  for (const auto& [kind, way] : ways()) {
    for (unsigned which = 0; which < 1U << names.size(); ++which) {
      for (int acts = 0; acts < 4; ++acts) {
        Individual individual{};
        const Statement* statements[2] = {&first, &second};
        for (int i = 0; i < 2; ++i) {
          individual.subject[i] = is(kind, statements[i]->being);
          for (size_t t = 0; t < names.size(); ++t) {
            if (one_of(names[t], statements[i]->traits) && !(which >> t & 1)) {
              individual.subject[i] = false;
            }
          }
          individual.acts[i] = acts >> i & 1;
        }
        if (individual.acts[0] && !individual.acts[1] && is(first.verb, second.verb)) continue;
        if (individual.acts[1] && !individual.acts[0] && is(second.verb, first.verb)) continue;
        found[individual.subject[0] * 8 + individual.subject[1] * 4 + acts] = individual;
      }
    }
  }
  std::vector<Individual> list;
  for (const auto& [key, individual] : found) list.push_back(individual);
  return list;
}

// Tries every world: any set of individuals in which both subjects exist.
std::string label_by_worlds(const Statement& premise, const Statement& hypothesis) {
  const auto all = individuals(premise, hypothesis);
  const std::string quantifiers[2] = {premise.quantifier, hypothesis.quantifier};
  bool always = true, never = true;
  for (uint32_t world = 1; world < 1U << all.size(); ++world) {
    bool exist[2] = {}, some_act[2] = {}, some_do_not[2] = {};
    for (size_t k = 0; k < all.size(); ++k) {
      if (!(world >> k & 1)) continue;
      for (int i = 0; i < 2; ++i) {
        exist[i] |= all[k].subject[i];
        some_act[i] |= all[k].subject[i] && all[k].acts[i];
        some_do_not[i] |= all[k].subject[i] && !all[k].acts[i];
      }
    }
    if (!exist[0] || !exist[1]) continue;
    bool truth[2];
    for (int i = 0; i < 2; ++i) {
      const std::string& quantifier = quantifiers[i];
      truth[i] = quantifier == "some"  ? some_act[i]
                 : quantifier == "no"  ? !some_act[i]
                 : quantifier == "not" ? some_do_not[i]
                                       : !some_do_not[i];
    }
    if (!truth[0]) continue;
    (truth[1] ? never : always) = false;
  }
  return always ? "entailment" : never ? "contradiction" : "neutral";
}

TEST(SyntheticLabels, Inference) {
  size_t most_traits = 0;
  for (const auto& row : labelled_rows("MNLI", 240, 60)) {
    const Statement premise = statement_of(row.text_a), hypothesis = statement_of(row.text_b);
    EXPECT_EQ(row.label, label_by_worlds(premise, hypothesis)) << row.text_a << " / " << row.text_b;
    most_traits = std::max(most_traits, premise.traits.size());
  }
  EXPECT_EQ(most_traits, 2U);
}

}  // namespace
}  // namespace kdbench::synthetic_labels_test
