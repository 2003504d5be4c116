// SPDX-License-Identifier: MIT
#include "io/weights/word_vectors.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "io/base/error.h"
#include "io/base/look.h"
#include "io/base/text.h"
#include "io/weights/model_limits.h"

namespace kdbench {
namespace {

constexpr size_t kBuffer = size_t{1} << 20;
constexpr size_t kLongestLine = size_t{1} << 20;  // of text; more is no vector
constexpr size_t kLongestWord = 4096;             // of a binary file
constexpr const char* kKinds = "word2vec (text or binary) and GloVe (text) files are read";

enum class Format { kText, kBinary };

// What the beginning of a file tells.
struct Beginning {
  Format format = Format::kText;
  bool header = false;  // "number of words, width"
  int64_t words = -1;   // as the header says
  int64_t width = 0;
};

std::string_view next_cell(std::string_view& rest) {
  const size_t begin = std::min(rest.find_first_not_of(" \t\r"), rest.size());
  const size_t end = std::min(rest.find_first_of(" \t\r", begin), rest.size());
  const std::string_view cell = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return cell;
}

template <typename T>
std::optional<T> number_of(std::string_view cell) {
  T value{};
  const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  const bool whole = problem == std::errc() && end == cell.data() + cell.size() && !cell.empty();
  return whole ? std::optional(value) : std::nullopt;
}

// Of a line; words may have blanks in them, so it is the numbers at its end that count.
int64_t numbers_at_end(std::string_view line) {
  std::vector<bool> numbers;
  for (auto cell = next_cell(line); !cell.empty(); cell = next_cell(line))
    numbers.push_back(number_of<float>(cell).has_value());
  int64_t count = 0;
  while (!numbers.empty() && numbers.back()) {
    numbers.pop_back();
    ++count;
  }
  return numbers.empty() ? std::max<int64_t>(count - 1, 0) : count;  // the word may be a number
}

class VectorFile {
 public:
  explicit VectorFile(const std::filesystem::path& path) : path_(path), buffer_(kBuffer) {
    if (!is_file(path)) {
      throw_user_error(path.string(), is_folder(path) ? "is a folder" : "there is no such file",
                       kKinds);
    }
    file_.rdbuf()->pubsetbuf(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    file_.open(path, std::ios::binary);
    if (!file_) throw_user_error(path.string(), "cannot be read", "is it yours?");
    find_beginning();
  }

  const Beginning& beginning() const { return beginning_; }

  // Calls take(word) for each word; where it returns a place, the vector is put there.
  template <typename Take>
  void read(Take& take) {
    if (beginning_.format == Format::kText) {
      read_text(take);
    } else {
      read_binary(take);
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& where, const std::string& what,
                           const std::string& hint = kKinds) const {
    throw_user_error(path_.string() + where, what, hint);
  }

  // Without its end; false at the end of the file.
  bool next_line(std::string& line) {
    line.clear();
    for (int c = file_.get(); c != EOF; c = file_.get()) {
      if (c == '\n') return true;
      line.push_back(static_cast<char>(c));
      if (line.size() > kLongestLine) refuse("", "has a line of more than a million characters");
    }
    return !line.empty();
  }

  void find_beginning() {
    std::string line;
    if (!next_line(line)) refuse("", "is empty");
    if (line.starts_with("\x1F\x8B") || line.starts_with("PK"))
      refuse("", "is compressed", "unpack it first");
    std::string_view rest = line;
    const auto words = number_of<int64_t>(next_cell(rest));
    const auto width = number_of<int64_t>(next_cell(rest));
    beginning_.header = words && width && next_cell(rest).empty();
    if (!beginning_.header) {
      beginning_.width = numbers_at_end(line);
    } else {
      beginning_.words = *words;
      beginning_.width = *width;
      beginning_.format = second_line_is_text() ? Format::kText : Format::kBinary;
    }
    if (beginning_.width < 1 || beginning_.width > kLargestSize)
      refuse(":1", "is no vector of a word, and no number of words with a width");
    file_.clear();
    file_.seekg(0);
    if (beginning_.header) next_line(line);
  }

  // After a header of `width` numbers.
  bool second_line_is_text() {
    std::string line;
    for (int c = file_.get(); c != EOF && c != '\n' && line.size() < kLongestLine; c = file_.get())
      line.push_back(static_cast<char>(c));
    return numbers_at_end(line) >= beginning_.width;
  }

  template <typename Take>
  void read_text(Take& take) {
    std::string line;
    for (int64_t number = beginning_.header ? 2 : 1; next_line(line); ++number) {
      if (line.empty() || line == "\r") continue;
      std::string_view rest = line;
      const std::string_view word = next_cell(rest);
      float* place = take(word);
      if (place && !take_numbers(rest, place)) {
        // A word with blanks in it is none of ours.
        if (numbers_at_end(line) < beginning_.width) refuse_line(number, line);
        take.untake();
        place = nullptr;
      }
      check_finite(place, fmt::format(":{}", number));
    }
  }

  bool take_numbers(std::string_view rest, float* place) const {
    for (int64_t i = 0; i < beginning_.width; ++i) {
      const auto value = number_of<float>(next_cell(rest));
      if (!value) return false;
      place[i] = *value;
    }
    return next_cell(rest).empty();
  }

  [[noreturn]] void refuse_line(int64_t number, const std::string& line) const {
    refuse(fmt::format(":{}", number),
           fmt::format("has {} numbers behind the word, the first line {}", numbers_at_end(line),
                       beginning_.width),
           "the file is cut or damaged");
  }

  template <typename Take>
  void read_binary(Take& take) {
    std::string word;
    std::vector<float> others(static_cast<size_t>(beginning_.width));
    for (int64_t number = 1; number <= beginning_.words; ++number) {
      const std::string where = fmt::format(", word {} of {}", number, beginning_.words);
      word.clear();
      int c = file_.get();
      while (c == '\n') c = file_.get();
      for (; c != EOF && c != ' ' && word.size() <= kLongestWord; c = file_.get())
        word.push_back(static_cast<char>(c));
      if (word.size() > kLongestWord) refuse(where, "is too long to be a word");
      float* place = take(word);
      float* to = place ? place : others.data();
      file_.read(reinterpret_cast<char*>(to), beginning_.width * int64_t{sizeof(float)});
      if (!file_) refuse(where, "ends within its vector", "the file is cut or damaged");
      check_finite(place, where);
    }
  }

  void check_finite(const float* place, const std::string& where) const {
    if (!place) return;
    if (std::all_of(place, place + beginning_.width, [](float x) { return std::isfinite(x); }))
      return;
    refuse(where, "holds NaN or infinity", "the file is damaged");
  }

  std::filesystem::path path_;
  std::vector<char> buffer_;
  std::ifstream file_;
  Beginning beginning_;
};

// Gives wanted words a place.
class Taker {
 public:
  Taker(const std::vector<std::string>& words, FoundVectors& found) : found_(found) {
    for (size_t i = 0; i < words.size(); ++i) wanted_.emplace(words[i], i);
  }

  float* operator()(std::string_view word) {
    const auto it = wanted_.find(word);
    if (it == wanted_.end()) return nullptr;
    last_ = *it;
    wanted_.erase(it);
    found_.words.push_back(last_.second);
    found_.values.resize(found_.values.size() + static_cast<size_t>(found_.width));
    return found_.values.data() + found_.values.size() - found_.width;
  }

  void untake() {
    wanted_.insert(last_);
    found_.words.pop_back();
    found_.values.resize(found_.values.size() - static_cast<size_t>(found_.width));
  }

 private:
  FoundVectors& found_;
  std::unordered_map<std::string_view, int64_t> wanted_;
  std::pair<std::string_view, int64_t> last_;
};

}  // namespace

int64_t word_vectors_width(const std::filesystem::path& path) {
  return VectorFile(path).beginning().width;
}

FoundVectors read_word_vectors(const std::filesystem::path& path,
                               const std::vector<std::string>& words) {
  VectorFile file(path);
  FoundVectors found;
  found.width = file.beginning().width;
  Taker taker(words, found);
  file.read(taker);
  return found;
}

}  // namespace kdbench
