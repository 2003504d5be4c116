// SPDX-License-Identifier: MIT
#include "io/words/tagged_corpus.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include "io/base/error.h"
#include "io/base/stand_in.h"
#include "io/base/text.h"

namespace kdbench {
namespace {

constexpr size_t kConlluCells = 10;
constexpr size_t kListed = 20;

std::vector<std::string_view> parts_of(std::string_view line) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin < line.size();) {
    const size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    if (end > begin) parts.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

bool is_blank_line(std::string_view line) {
  return line.find_first_not_of(" \t") == std::string_view::npos;
}

class CorpusReader {
 public:
  explicit CorpusReader(const std::filesystem::path& file) : file_(file) {}

  std::vector<TaggedSentence> read() {
    refuse_stand_in(file_);
    const std::string all = read_text_file(file_);
    std::string_view text = without_byte_order_mark(all);
    while (!text.empty()) {
      ++number_;
      const std::string_view line = take_line(text);
      if (!is_utf8(line)) {
        malformed("is no UTF-8");
      } else if (is_blank_line(line)) {
        end_sentence();
      } else {
        take(line);
      }
    }
    end_sentence();
    problems_.throw_if_any(file_.string());
    if (sentences_.empty()) throw_user_error(file_.string(), "has no tagged words");
    return std::move(sentences_);
  }

 private:
  using Format = void (CorpusReader::*)(std::string_view);

  void take(std::string_view line) {
    const bool comment = line.starts_with('#') && line.find('\t') == std::string_view::npos;
    if (!format_ && !(comment && line.starts_with("# "))) format_ = format_of(line);
    if (!format_ || (comment && format_ == &CorpusReader::conllu)) return;
    (this->*format_)(line);
  }

  Format format_of(std::string_view line) const {
    split_cells(line, cells_);
    if (cells_.size() == kConlluCells) return &CorpusReader::conllu;
    const auto parts = parts_of(line);
    const bool columns = (parts.size() == 2 || parts.size() == 3) &&
                         parts[1].find_first_of("_/") == std::string_view::npos;
    return columns ? &CorpusReader::columns : &CorpusReader::words;
  }

  void conllu(std::string_view line) {
    split_cells(line, cells_);
    if (cells_.size() != kConlluCells) return malformed("has not ten cells between tabs");
    if (cells_[0].find_first_of("-.") != std::string_view::npos) return;
    add(cells_[1], cells_[4]);
  }

  void columns(std::string_view line) {
    const auto parts = parts_of(line);
    if (parts.size() < 2) return malformed("has no tag");
    add(parts[0], parts[1]);
  }

  void words(std::string_view line) {
    for (const auto& part : parts_of(line)) {
      const size_t cut = part.find_last_of("_/");
      if (cut == std::string_view::npos) return malformed("'" + printable(part) + "' has no tag");
      add(part.substr(0, cut), part.substr(cut + 1));
    }
    end_sentence();
  }

  void add(std::string_view word, std::string_view tag) {
    if (word.empty() || tag.empty() || (tag == "_" && format_ == &CorpusReader::conllu))
      return malformed("a word or its tag is missing");
    if (word.find(' ') != std::string_view::npos) return malformed("a word holds a space");
    sentence_.words.emplace_back(word);
    sentence_.tags.emplace_back(tag);
  }

  void end_sentence() {
    if (!sentence_.words.empty()) sentences_.push_back(std::move(sentence_));
    sentence_ = {};
  }

  void malformed(const std::string& what) {
    if (problems_.lines().size() < kListed)
      problems_.add(file_.string() + ":" + std::to_string(number_), what,
                    "CoNLL-U, columns of word and tag, or word_TAG");
  }

  const std::filesystem::path& file_;
  int64_t number_ = 0;
  Format format_ = nullptr;
  mutable std::vector<std::string_view> cells_;
  TaggedSentence sentence_;
  std::vector<TaggedSentence> sentences_;
  Problems problems_;
};

}  // namespace

std::vector<TaggedSentence> read_tagged_corpus(const std::filesystem::path& file) {
  return CorpusReader(file).read();
}

}  // namespace kdbench
