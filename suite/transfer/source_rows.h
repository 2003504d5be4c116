// SPDX-License-Identifier: MIT
// The rows that a transfer set is made from: this rank's texts as words of the one dictionary.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "io/tasks/glue.h"
#include "io/words/tagger.h"
#include "suite/transfer/pos_dictionary.h"
#include "suite/transfer/row_deal.h"
#include "suite/transfer/text_rules.h"

namespace kdbench {

// One side of this rank's rows: words as numbers of the dictionary, one row after another.
struct SideWords {
  std::vector<int32_t> words;
  std::vector<int64_t> offsets{0};

  WordNumbers row(size_t i) const {
    return WordNumbers(words).subspan(static_cast<size_t>(offsets[i]),
                                      static_cast<size_t>(offsets[i + 1] - offsets[i]));
  }
};

struct SourceRows {
  bool pair = false;
  RowDeal deal{0, 1, 1};
  std::vector<int64_t> row_ids;    // of this rank's rows, ascending
  std::vector<std::string> texts;  // as in the file, "a TAB b" of pairs; empty unless kept
  SideWords a, b;                  // `b` of pairs
  PosDictionary dictionary{{}};    // of all ranks' rows
};

// What is made of the rows.
struct TransferOptions {
  TextRules rules;
  bool originals = false;  // each row's text as it is in the file before its variations
};

// Cuts this rank's rows of `file` into words and tags them; without a tagger the classes of
// frequency_class are the tags. Collective.
SourceRows source_rows(const GlueFile& file, bool pair, const TaggerModel* tagger,
                       const TransferOptions& options, const Control& control);

}  // namespace kdbench
