// SPDX-License-Identifier: MIT
// BERT's text normalisation for texts that are not plain ASCII. The reference's category tables are
// those of Unicode 8: younger code points have no category here, so ids do not depend on the
// installed ICU either. Of all code points six differ, whose category changed later: U+166D,
// U+1734, U+1885, U+1886, U+A9BD, U+111C9.
#pragma once

#include <string>
#include <string_view>

namespace kdbench {

struct BertNormalizerOptions {
  bool lower_case = true;
  bool strip_accents = true;
  bool space_cjk = true;  // each ideograph is a word
};

// In this order: control characters, U+0000 and U+FFFD (also for bytes that are not UTF-8) go,
// white space becomes ' ', ideographs get blanks around them, NFD without nonspacing marks, lower
// case of each code point.
std::string normalize_bert(std::string_view text, const BertNormalizerOptions& options);

// Of general category P*, which makes a code point a word of its own.
bool is_punctuation(int32_t code_point);

}  // namespace kdbench
