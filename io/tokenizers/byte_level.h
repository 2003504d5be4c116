// SPDX-License-Identifier: MIT
// GPT-2's view of a text: bytes, written in vocabularies as printable characters, and the words
// that its pattern cuts a text into.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kdbench {

// The bytes that an entry of a byte-level vocabulary stands for: "\u0120the" is " the". Nothing
// when it holds a character that stands for no byte.
std::optional<std::string> bytes_of_symbols(std::string_view symbols);
// The character that stands for a byte, in UTF-8.
std::string symbol_of_byte(unsigned char byte);

// Cuts the next word off `text`, which must not be empty, as the pattern
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// does. A byte that is no UTF-8 counts as none of the classes.
std::string_view take_word(std::string_view& text);

}  // namespace kdbench
