// SPDX-License-Identifier: MIT
// Small helpers for text files and UTF-8 shared by the readers and the tokenizers.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace kdbench {

// The whole file. Throws a user error when it is missing, cannot be read, or is only a stand-in
// (stand_in.h).
std::string read_text_file(const std::filesystem::path& path);

// Without the mark of UTF-8 that some editors put before a text.
std::string_view without_byte_order_mark(std::string_view text);

// Cuts the next line off `rest`, without its LF or CRLF. `rest` must not be empty; the last line
// needs no end.
std::string_view take_line(std::string_view& rest);

// "a, b, c" for the separator ", ".
std::string joined(const std::vector<std::string>& parts, std::string_view separator);
// "a, b, c, d, and 3 more".
std::string first_few(const std::vector<std::string>& names);
// "\"a\", \"b\"": names as messages list them.
std::string quoted_list(const std::vector<std::string>& names);

// The cells of `line` between tabs, without copies.
void split_cells(std::string_view line, std::vector<std::string_view>& cells);

// `text` of a file as a message may quote it: control characters and what is no UTF-8 become '?',
// and a long text is cut.
std::string printable(std::string_view text);

// `text` as well-formed UTF-8, for JSON: each byte that is none of it as "\\xE9". Paths need it.
std::string utf8_text(std::string_view text);

// A to Z in small letters, all else as it is.
std::string ascii_lower(std::string text);

bool is_ascii(std::string_view text);
// Well-formed: no cut or overlong sequences, no surrogates.
bool is_utf8(std::string_view text);

}  // namespace kdbench
