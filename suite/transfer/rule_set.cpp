// SPDX-License-Identifier: MIT
#include "suite/transfer/rule_set.h"

#include <nlohmann/json.hpp>

namespace kdbench {
namespace {

nlohmann::json sides_json(const std::array<int64_t, kVariations>& counts) {
  const auto count = [&](Variation variation) { return counts[static_cast<size_t>(variation)]; };
  return {{"only_a", count(Variation::kOnlyA)},
          {"only_b", count(Variation::kOnlyB)},
          {"both", count(Variation::kBoth)}};
}

}  // namespace

RuleSet write_rule_set(GlueFile rows, bool pair, const RuleSettings& settings,
                       const FileLayout& layout, const std::filesystem::path& path,
                       const Control& control) {
  RuleSet set;
  const LoadedTagger tagger = load_tagger(settings.tagger, control);
  const SourceRows source =
      source_rows(rows, pair, tagger.model ? &*tagger.model : nullptr, settings.set, control);
  set.left_out = rows.short_rows;
  rows = {};
  set.counts = write_transfer_set(source, settings.set, layout, path, control);
  set.tagged = tagger.model.has_value();
  set.tagger = tagger.description;
  set.tags = source.dictionary.tags();
  set.words = source.dictionary.size();
  return set;
}

nlohmann::json to_json(const RuleSet& set, bool pair) {
  const TransferCounts& counts = set.counts;
  const auto drawn = [&](Variation variation) {
    return counts.drawn[static_cast<size_t>(variation)];
  };
  nlohmann::json json{{"rows_in", counts.rows_in},
                      {"rows_out", counts.rows_out},
                      {"originals", counts.originals},
                      {"duplicates", counts.duplicates},
                      {"no_word_left", drawn(Variation::kAllReplaced)},
                      {"blank", drawn(Variation::kBlank)},
                      {"ended_by_window", drawn(Variation::kEnded)},
                      {"left_out", set.left_out},
                      {"part_of_speech",
                       {{"tagger", set.tagged},
                        {"description", set.tagger},
                        {"tags", set.tags},
                        {"words", set.words}}}};
  if (pair) json["drawn"] = sides_json(counts.drawn);
  if (pair) json["written"] = sides_json(counts.written);
  return json;
}

}  // namespace kdbench
