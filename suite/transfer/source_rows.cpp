// SPDX-License-Identifier: MIT
#include "suite/transfer/source_rows.h"

#include <utility>

#include "io/words/penn_words.h"

namespace kdbench {
namespace {

// Pairs of tag and word in the order of their first occurrence on this rank.
class SeenPairs {
 public:
  int32_t number(std::string tag, std::string word) {
    const auto next = static_cast<int32_t>(pairs_.size());
    const auto [found, added] = numbers_.try_emplace({std::move(tag), std::move(word)}, next);
    if (added) pairs_.push_back(&found->first);
    ++counts_[found->first];
    return found->second;
  }

  const TagCounts& counts() const { return counts_; }

  // The dictionary's number of each, by this rank's; `tag` names the tag of a pair there.
  std::vector<int32_t> numbers_in(
      const PosDictionary& dictionary,
      const std::function<std::string(const std::string&, const std::string&)>& tag) const {
    std::vector<int32_t> numbers;
    for (const auto* pair : pairs_)
      numbers.push_back(dictionary.number(tag(pair->first, pair->second), pair->second));
    return numbers;
  }

 private:
  std::map<std::pair<std::string, std::string>, int32_t> numbers_;
  std::vector<const std::pair<std::string, std::string>*> pairs_;
  TagCounts counts_;
};

void add_text(const std::string& text, const TaggerModel* tagger, SeenPairs& seen,
              SideWords& side) {
  std::vector<std::string> words = penn_words(text);
  std::vector<std::string> tags =
      tagger ? tagged(*tagger, words) : std::vector<std::string>(words.size());
  for (size_t i = 0; i < words.size(); ++i)
    side.words.push_back(seen.number(std::move(tags[i]), std::move(words[i])));
  side.offsets.push_back(static_cast<int64_t>(side.words.size()));
}

void renumber(SideWords& side, const std::vector<int32_t>& numbers) {
  for (int32_t& word : side.words) word = numbers[static_cast<size_t>(word)];
}

// Without a tagger all words have the tag ""; `counts` then gets their classes.
void classify(TagCounts& counts) {
  TagCounts classes;
  for (const auto& [pair, count] : counts)
    classes[{frequency_class(pair.second, count), pair.second}] = count;
  counts = std::move(classes);
}

}  // namespace

SourceRows source_rows(const GlueFile& file, bool pair, const TaggerModel* tagger,
                       const TransferOptions& options, const Control& control) {
  SourceRows source;
  source.pair = pair;
  source.deal = RowDeal(static_cast<int64_t>(file.rows.size()), options.rules.iterations(pair),
                        control.size());
  SeenPairs seen;
  control.agree([&] {
    for (int64_t window = 0; window < source.deal.windows(); ++window) {
      const int64_t end = source.deal.end(window, control.rank());
      for (int64_t i = source.deal.begin(window, control.rank()); i < end; ++i) {
        const GlueRow& row = file.rows[static_cast<size_t>(i)];
        source.row_ids.push_back(row.row_id);
        if (options.originals) source.texts.push_back(row.text_a + (pair ? "\t" + row.text_b : ""));
        add_text(row.text_a, tagger, seen, source.a);
        if (pair) add_text(row.text_b, tagger, seen, source.b);
      }
    }
  });
  TagCounts all = gathered(seen.counts(), control);
  const TagCounts plain = tagger ? TagCounts() : all;
  if (!tagger) classify(all);
  source.dictionary = PosDictionary(all);
  const auto numbers =
      seen.numbers_in(source.dictionary, [&](const std::string& tag, const std::string& word) {
        return tagger ? tag : frequency_class(word, plain.at({tag, word}));
      });
  renumber(source.a, numbers);
  renumber(source.b, numbers);
  return source;
}

}  // namespace kdbench
