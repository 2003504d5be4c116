// SPDX-License-Identifier: MIT
#include "io/base/stand_in.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <string>

#include "io/base/error.h"
#include "io/base/text.h"

namespace kdbench {
namespace {

constexpr std::string_view kPointer = "version https://git-lfs.github.com/spec/";
constexpr size_t kBeginning = 512;  // holds a whole pointer

// " of 438 bytes": what the pointer says of the file.
std::string size_in(std::string_view pointer) {
  const std::string_view key = "\nsize ";
  const size_t at = pointer.find(key);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = pointer.substr(at + key.size());
  const std::string digits(rest.substr(0, rest.find_first_not_of("0123456789")));
  return digits.empty() ? "" : " of " + digits + " bytes";
}

bool is_web_page(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return false;
  const std::string start = ascii_lower(std::string(text.substr(begin, 15)));
  return start.starts_with("<!doctype html") || start.starts_with("<html");
}

}  // namespace

void refuse_stand_in(const std::filesystem::path& path, std::string_view text) {
  text = text.substr(0, kBeginning);
  if (text.starts_with(kPointer)) {
    throw_user_error(path.string(),
                     "is a Git LFS pointer, a text in the place of the file" + size_in(text),
                     "in its repository: git lfs install && git lfs pull; or download the file "
                     "itself");
  }
  if (is_web_page(text)) {
    throw_user_error(path.string(), "is a web page, not the file",
                     "download the file itself; on Hugging Face its address has /resolve/, not "
                     "/blob/, and some models need a login");
  }
}

void refuse_stand_in(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, kBeginning> text;
  file.read(text.data(), text.size());
  refuse_stand_in(path,
                  {text.data(), static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0))});
}

}  // namespace kdbench
