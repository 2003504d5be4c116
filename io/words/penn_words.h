// SPDX-License-Identifier: MIT
// English text as the Penn Treebank's words: punctuation and clitics stand alone ("do n't", "John
// 's"), double quotes become `` and ''. The rules are those of the treebank's tokenizer (R.
// MacIntyre 1995) with the changes of NLTK's word_tokenize, which the programs of d-lite call:
// quotes of other kinds, "..." and '*' alone, clitics at a word's end. NLTK's sentences (Punkt)
// are no part of it: a period at a word's end stands alone at the end of the text and before
// white space, there unless the word is an abbreviation or the sentence visibly goes on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kdbench {

// None holds white space, none is empty. Local.
std::vector<std::string> penn_words(std::string_view text);

}  // namespace kdbench
