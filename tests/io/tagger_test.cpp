// SPDX-License-Identifier: MIT
#include "io/words/tagger.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "io/words/perceptron_features.h"
#include "io/words/tagged_corpus.h"
#include "io/words/tagger_training.h"
#include "tests/support/temp_folder.h"
#include "tests/support/user_error.h"

namespace kdbench::tagger_test {
namespace {

using testing::TempFolder;
using testing::user_error_of;

TEST(PerceptronFeatures, AreTheWordItsNeighboursAndTheTagsBefore) {
  const std::vector<std::string> words{"In", "1984", "Anti-war", "3rd", "Films"};
  const auto context = perceptron_context(words);
  EXPECT_EQ(context, (std::vector<std::string>{"-START-", "-START2-", "in", "!YEAR", "!HYPHEN",
                                               "!DIGITS", "films", "-END-", "-END2-"}));
  std::vector<std::string> features;
  perceptron_features(0, words[0], context, kStart, kBeforeStart, features);
  EXPECT_EQ(features,
            (std::vector<std::string>{"bias", "i suffix In", "i pref1 I", "i-1 tag -START-",
                                      "i-2 tag -START2-", "i tag+i-2 tag -START- -START2-",
                                      "i word in", "i-1 tag+i word -START- in", "i-1 word -START2-",
                                      "i-1 suffix T2-", "i-2 word -START-", "i+1 word !YEAR",
                                      "i+1 suffix EAR", "i+2 word !HYPHEN"}));
}

// Two words, both tagged wrongly once: the first as the last of equal classes (Y), the second by
// "bias" alone (X). The mean over the two words seen is 1/2 for what changed at the first word,
// 0 for what changed at the second.
TEST(TaggerTraining, AveragesWeightsOverTheWordsSeen) {
  const TaggerModel model = train_tagger({{{"a", "b"}, {"X", "Y"}}}, {.epochs = 1});
  EXPECT_EQ(model.classes, (std::vector<std::string>{"X", "Y"}));
  EXPECT_TRUE(model.certain.empty());
  std::vector<std::string> first;
  perceptron_features(0, "a", perceptron_context({"a", "b"}), kStart, kBeforeStart, first);
  ASSERT_EQ(model.weights.size(), first.size());
  for (const auto& feature : first) {
    const auto found = model.weights.find(feature);
    ASSERT_NE(found, model.weights.end()) << feature;
    EXPECT_EQ(found->second, (TaggerModel::Weights{{0, 0.5}, {1, -0.5}})) << feature;
  }
}

TEST(TaggerTraining, FrequentWordsWithOneTagKeepIt) {
  std::vector<TaggedSentence> sentences(97, {{"the", "sun"}, {"DT", "NN"}});
  for (int i = 0; i < 3; ++i) sentences.push_back({{"the"}, {"NN"}});
  sentences.resize(119, {{"rare", "sun"}, {"JJ", "NN"}});
  sentences.push_back({{"sun"}, {"NN"}});
  const TaggerModel model = train_tagger(sentences, {.epochs = 1});
  // 97 of 100: certain; "rare" has 19 occurrences, one too few; "sun" 117.
  EXPECT_TRUE(model.certain.contains("the"));
  EXPECT_TRUE(model.certain.contains("sun"));
  EXPECT_FALSE(model.certain.contains("rare"));
  sentences.push_back({{"the"}, {"NN"}});  // 97 of 101
  EXPECT_FALSE(train_tagger(sentences, {.epochs = 1}).certain.contains("the"));
}

// A small grammar in which words have two tags, told apart by their neighbours, and words that
// training never shows have endings that do.
std::vector<TaggedSentence> grammar(bool held_out) {
  using Words = std::vector<std::string>;
  const Words both{"walk", "play", "rest", "plan", "cook", "talk"};
  const Words adjectives =
      held_out ? Words{"dreadful", "wonderful"} : Words{"useful", "careful", "helpful", "playful"};
  const Words adverbs =
      held_out ? Words{"quietly"} : Words{"softly", "greatly", "gently", "slowly"};
  std::vector<TaggedSentence> sentences;
  for (size_t i = 0; i < both.size(); ++i) {
    const auto& a = both[i];
    const auto& b = both[(i + (held_out ? 2 : 1)) % both.size()];
    for (size_t k = 0; k < adjectives.size(); ++k) {
      const auto& adverb = adverbs[(i + k) % adverbs.size()];
      sentences.push_back({{"they", a, adverb, "."}, {"PRP", "VBP", "RB", "."}});
      sentences.push_back({{"the", adjectives[k], a, "was", "to", b, adverb},
                           {"DT", "JJ", "NN", "VBD", "TO", "VB", "RB"}});
    }
  }
  return sentences;
}

TEST(TaggerTraining, TagsSentencesThatItHasNotSeen) {
  const auto seen = grammar(false), held_out = grammar(true);
  const TaggerModel model = train_tagger(seen, {});
  EXPECT_EQ(tagging_accuracy(model, seen), 1.0);
  EXPECT_EQ(tagging_accuracy(model, held_out), 1.0);
  EXPECT_EQ(tagged(model, {"they", "plan", "quietly", "."}),
            (std::vector<std::string>{"PRP", "VBP", "RB", "."}));
  EXPECT_TRUE(tagged(model, {}).empty());
  EXPECT_EQ(to_json(train_tagger(seen, {})), to_json(model));  // the same seed
}

TEST(TaggerFiles, AreReadAsTheyWereWritten) {
  const TempFolder folder;
  const TaggerModel model = train_tagger(grammar(false), {});
  write_tagger(model, folder / "tagger");
  EXPECT_EQ(to_json(read_tagger(folder / "tagger")), to_json(model));
  EXPECT_FALSE(std::filesystem::exists(folder / "tagger.partial"));
}

// Names and layout of NLTK's files; classes need no order.
TEST(TaggerFiles, NltksNamesAreUnderstood) {
  const TempFolder folder;
  folder.write("t/averaged_perceptron_tagger_eng.classes.json", R"(["NN", "DT"])");
  folder.write("t/averaged_perceptron_tagger_eng.tagdict.json", R"({"the": "DT"})");
  folder.write("t/averaged_perceptron_tagger_eng.weights.json",
               R"({"i word dog": {"NN": 1.5, "DT": 0.5}, "bias": {"DT": 0.75}})");
  const TaggerModel model = read_tagger(folder / "t");
  EXPECT_EQ(tagged(model, {"the", "dog", "x"}), (std::vector<std::string>{"DT", "NN", "DT"}));
}

TEST(TaggerFiles, WhatIsWrongIsNamed) {
  const TempFolder folder;
  EXPECT_NE(user_error_of([&] { read_tagger(folder / "no"); }).find("is no folder"),
            std::string::npos);
  folder.write("t/x.classes.json", R"(["NN"])");
  const auto error = user_error_of([&] { read_tagger(folder / "t"); });
  EXPECT_NE(error.find("no file *.tagdict.json"), std::string::npos) << error;
  EXPECT_NE(error.find("no file *.weights.json"), std::string::npos) << error;
  const auto wrong = [](const char* text) {
    return user_error_of([&] { tagger_of_json(nlohmann::json::parse(text), "t"); });
  };
  EXPECT_NE(wrong(R"({"classes": ["NN"], "tagdict": {"the": "DT"}, "weights": {}})")
                .find("the tag 'DT' is none of its classes"),
            std::string::npos);
  EXPECT_NE(wrong(R"({"classes": [], "tagdict": {}, "weights": {}})").find("classes are none"),
            std::string::npos);
  EXPECT_NE(wrong(R"({"classes": ["NN"], "tagdict": {}, "weights": {"bias": 3}})")
                .find("is no tagger's model"),
            std::string::npos);
}

std::string as_text(const std::vector<TaggedSentence>& sentences) {
  std::string text;
  for (const auto& sentence : sentences) {
    for (size_t i = 0; i < sentence.words.size(); ++i)
      text += sentence.words[i] + "|" + sentence.tags[i] + " ";
    text += "/";
  }
  return text;
}

TEST(TaggedCorpus, ThreeFormatsAreToldApart) {
  const TempFolder folder;
  const auto read = [&](const std::string& text) {
    return as_text(read_tagged_corpus(folder.write("corpus", text)));
  };
  const std::string expected = "Dogs|NNS do|VBP n't|RB bark|VB /Yes|UH /";
  EXPECT_EQ(read("Dogs_NNS do_VBP n't_RB bark_VB\n\nYes_UH\n"), expected);
  EXPECT_EQ(read("Dogs/NNS do/VBP n't/RB bark/VB\r\nYes/UH"), expected);
  EXPECT_EQ(read("Dogs NNS B-NP\ndo VBP O\nn't RB O\nbark VB O\n\nYes UH O\n"), expected);
  EXPECT_EQ(read("Dogs\tNNS\ndo\tVBP\nn't\tRB\nbark\tVB\n\n\nYes\tUH\n"), expected);
  EXPECT_EQ(read("# sent_id = 1\n# text = Dogs don't bark\n"
                 "1\tDogs\tdog\tNOUN\tNNS\t_\t4\tnsubj\t_\t_\n"
                 "2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_\n"
                 "2\tdo\tdo\tAUX\tVBP\t_\t4\taux\t_\t_\n"
                 "3\tn't\tnot\tPART\tRB\t_\t4\tadvmod\t_\t_\n"
                 "3.1\tx\tx\tX\tX\t_\t_\t_\t_\t_\n"
                 "4\tbark\tbark\tVERB\tVB\t_\t0\troot\t_\t_\n\n"
                 "# sent_id = 2\n1\tYes\tyes\tINTJ\tUH\t_\t0\troot\t_\t_\n"),
            expected);
  EXPECT_EQ(read("1/2/CD #/# a_b_NN\n"), "1/2|CD #|# a_b|NN /");
}

TEST(TaggedCorpus, LinesThatDoNotFitAreListed) {
  const TempFolder folder;
  const auto error = [&](const std::string& text) {
    return user_error_of([&] { read_tagged_corpus(folder.write("corpus", text)); });
  };
  const auto two = error("a_X\nb\nc_\n");
  EXPECT_NE(two.find("corpus:2"), std::string::npos) << two;
  EXPECT_NE(two.find("corpus:3"), std::string::npos) << two;
  EXPECT_NE(error("\n").find("has no tagged words"), std::string::npos);
  EXPECT_NE(error("a_X\n\xFF_Y\n").find("corpus:2: is no UTF-8"), std::string::npos);
}

}  // namespace
}  // namespace kdbench::tagger_test
