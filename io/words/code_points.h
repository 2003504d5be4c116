// SPDX-License-Identifier: MIT
// UTF-8 as code points, for rules about letters. Bytes that are no UTF-8 come as U+FFFD.
#pragma once

#include <string>
#include <string_view>

namespace kdbench {

std::u32string code_points(std::string_view text);
void append_utf8(std::string& text, char32_t c);

// Letters, digits and '_', of any script.
bool is_word_character(char32_t c);
bool is_white_space(char32_t c);
bool is_digit(char32_t c);

// Every letter by itself in its small form.
std::string small_letters(std::string_view text);

// The bytes of the first letter, of the last `count` letters: code points of well-formed UTF-8.
std::string_view first_letter(std::string_view word);
std::string_view last_letters(std::string_view word, int count);

}  // namespace kdbench
