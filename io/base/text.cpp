// SPDX-License-Identifier: MIT
#include "io/base/text.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <fstream>

#include "io/base/error.h"
#include "io/base/look.h"
#include "io/base/stand_in.h"

namespace kdbench {

std::string read_text_file(const std::filesystem::path& path) {
  if (!is_there(path)) throw_user_error(path.string(), "the file does not exist");
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file.tellg();
  if (!file || is_folder(path)) {
    throw_user_error(path.string(), "the file cannot be read");
  }
  std::string text(static_cast<size_t>(size), '\0');
  file.seekg(0);
  // Not the user's mistake, and not the same on every rank.
  if (!file.read(text.data(), size)) throw_machine_error(path.string(), "the disk cannot read it");
  refuse_stand_in(path, text);
  return text;
}

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

std::string_view take_line(std::string_view& rest) {
  const size_t end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  std::string all;
  for (const auto& part : parts) {
    if (&part != &parts.front()) all += separator;
    all += part;
  }
  return all;
}

std::string first_few(const std::vector<std::string>& names) {
  constexpr size_t kShown = 4;
  if (names.size() <= kShown) return joined(names, ", ");
  return joined({names.begin(), names.begin() + kShown}, ", ") + ", and " +
         std::to_string(names.size() - kShown) + " more";
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) {
    text.append(text.empty() ? "\"" : ", \"").append(name).append("\"");
  }
  return text;
}

void split_cells(std::string_view line, std::vector<std::string_view>& cells) {
  cells.clear();
  for (size_t begin = 0;;) {
    const size_t end = line.find('\t', begin);
    cells.push_back(line.substr(begin, end - begin));
    if (end == std::string_view::npos) return;
    begin = end + 1;
  }
}

std::string printable(std::string_view text) {
  constexpr size_t kShownBytes = 80;
  std::string shown;
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t next = 0; next < size;) {
    if (shown.size() >= kShownBytes) return shown + "...";
    const int64_t begin = next;
    UChar32 c = 0;
    U8_NEXT(text.data(), next, size, c);
    if (c < 0x20 || c == 0x7F)
      shown += '?';
    else
      shown += text.substr(static_cast<size_t>(begin), static_cast<size_t>(next - begin));
  }
  return shown;
}

std::string utf8_text(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string shown;
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t next = 0; next < size;) {
    const int64_t begin = next;
    UChar32 c = 0;
    U8_NEXT(text.data(), next, size, c);
    for (int64_t at = begin; at < next; ++at) {
      const auto byte = static_cast<unsigned char>(text[static_cast<size_t>(at)]);
      if (c >= 0) {
        shown += static_cast<char>(byte);
      } else {
        shown.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
      }
    }
  }
  return shown;
}

std::string ascii_lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

bool is_ascii(std::string_view text) {
  unsigned char bits = 0;
  for (const char c : text) bits |= static_cast<unsigned char>(c);
  return bits < 0x80;
}

bool is_utf8(std::string_view text) {
  if (is_ascii(text)) return true;
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t i = 0; i < size;) {
    UChar32 c = 0;
    U8_NEXT(text.data(), i, size, c);
    if (c < 0) return false;
  }
  return true;
}

}  // namespace kdbench
