// SPDX-License-Identifier: MIT
#include "suite/transfer/sample_set.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "io/base/text.h"
#include "suite/transfer/set_file.h"
#include "suite/transfer/shared_file.h"
#include "suite/transfer/text_sampler.h"

namespace kdbench {
namespace {

// Texts of a rank between two writings: while the last of them end, others do not begin.
constexpr int64_t kWindow = 4096;

constexpr std::string_view kBlanks = " \t\r\n\f\v";

std::string_view stripped(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// One cell of a file.
std::optional<std::string> cell(std::string_view text) {
  std::string cell(stripped(text));
  if (cell.empty() || !is_utf8(cell)) return std::nullopt;
  for (char& c : cell) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return cell;
}

// A text, or the two of a pair with a tab between them; nothing when they are not well-formed.
std::optional<std::string> text_of(const SampledText& sample, bool pair,
                                   const Tokenizer& tokenizer) {
  const TextMarks marks = tokenizer.text_marks();
  std::span<const int32_t> ids = sample.ids;
  if (sample.ended) ids = ids.first(ids.size() - 1);
  if (!pair) return cell(tokenizer.text_of(ids));
  std::string a, b;
  if (marks.between >= 0) {
    const auto between = std::find(ids.begin(), ids.end(), marks.between);
    if (between == ids.end()) return std::nullopt;
    a = tokenizer.text_of({ids.begin(), between});
    b = tokenizer.text_of({between + 1, ids.end()});
  } else {
    const std::string text = tokenizer.text_of(ids);
    const size_t tab = text.find('\t');
    if (tab == std::string::npos || text.find('\t', tab + 1) != std::string::npos)
      return std::nullopt;
    a = text.substr(0, tab);
    b = text.substr(tab + 1);
  }
  const auto first = cell(a), second = cell(b);
  return first && second ? std::optional(*first + "\t" + *second) : std::nullopt;
}

class Sampling {
 public:
  Sampling(const SampleSource& source, bool pair, const SampleSettings& settings,
           const FileLayout& layout, const Control& control)
      : source_(source), pair_(pair), layout_(layout), control_(control) {
    control_.agree([&] { sampler_.emplace(source, pair, settings); });
  }

  SampleSet run(int64_t samples, const std::filesystem::path& path) {
    SharedFile file(path, control_);
    file.append(control_.root() ? set_header(layout_) + "\n" : "");
    const int64_t window = kWindow * control_.size();
    for (int64_t first = 0; first < samples; first += window) {
      control_.agree([&] { sample(first, std::min(samples, first + window)); });
      file.append(lines());
    }
    file.commit();
    for (int64_t* count :
         {&set_.begun, &set_.written, &set_.without_end, &set_.malformed, &set_.ids})
      *count = control_.sum(*count);
    return set_;
  }

 private:
  // This rank's consecutive part of the window.
  void sample(int64_t first, int64_t last) {
    const int64_t count = last - first;
    const int64_t begin = first + count * control_.rank() / control_.size();
    const int64_t end = first + count * (control_.rank() + 1) / control_.size();
    texts_.assign(static_cast<size_t>(end - begin), std::nullopt);
    sampler_->sample(begin, end, [&](int64_t number, const SampledText& sample) {
      ++set_.begun;
      set_.ids += static_cast<int64_t>(sample.ids.size());
      set_.without_end += !sample.ended;
      auto& text = texts_[static_cast<size_t>(number - begin)];
      text = text_of(sample, pair_, source_.tokenizer);
      set_.malformed += !text;
    });
  }

  // The rows of the file that are this rank's. Collective.
  std::string lines() {
    const int64_t mine = std::count_if(texts_.begin(), texts_.end(),
                                       [](const auto& text) { return text.has_value(); });
    const auto all = control_.gather(std::vector<int64_t>{mine});
    int64_t index = in_file_;
    for (int rank = 0; rank < control_.size(); ++rank) {
      if (rank < control_.rank()) index += all[static_cast<size_t>(rank)];
      in_file_ += all[static_cast<size_t>(rank)];
    }
    set_.written += mine;
    std::string lines;
    for (const auto& text : texts_) {
      if (text) add_set_row(layout_, index++, *text, lines);
    }
    return lines;
  }

  const SampleSource& source_;
  const bool pair_;
  const FileLayout& layout_;
  const Control& control_;
  std::optional<TextSampler> sampler_;
  std::vector<std::optional<std::string>> texts_;  // of this rank's part of the window
  int64_t in_file_ = 0;                            // rows of all ranks
  SampleSet set_;                                  // of this rank
};

}  // namespace

SampleSet write_sample_set(const SampleSource& source, bool pair, int64_t samples,
                           const SampleSettings& settings, const FileLayout& layout,
                           const std::filesystem::path& path, const Control& control) {
  return Sampling(source, pair, settings, layout, control).run(samples, path);
}

nlohmann::json to_json(const SampleSet& set) {
  return {{"begun", set.begun},
          {"written", set.written},
          {"without_end", set.without_end},
          {"malformed", set.malformed},
          {"ids", set.ids}};
}

}  // namespace kdbench
