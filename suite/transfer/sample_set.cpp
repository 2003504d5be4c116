// SPDX-License-Identifier: MIT
#include "suite/transfer/sample_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "io/base/error.h"
#include "io/base/sha256.h"
#include "io/base/text.h"
#include "methods/models/registry.h"
#include "suite/ranks/workspace.h"
#include "suite/transfer/sample_progress.h"
#include "suite/transfer/set_file.h"
#include "suite/transfer/shared_file.h"
#include "suite/transfer/text_sampler.h"

namespace kdbench {
namespace {

// Texts of a rank between two writings: while the last of them end, others do not begin.
constexpr int64_t kWindow = 4096;

// So many texts that do not end say that none would.
constexpr int64_t kManyTexts = 1000;

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
  const int64_t known = tokenizer.vocabulary_size();  // a table may be longer
  if (std::any_of(ids.begin(), ids.end(), [&](int32_t id) { return id >= known; }))
    return std::nullopt;
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

// How often each id begins a row as a model of this vocabulary reads them.
std::vector<int64_t> first_ids(std::span<const GlueRow> rows, bool pair, const Tokenizer& tokenizer,
                               int64_t vocabulary) {
  std::vector<int64_t> counts(static_cast<size_t>(vocabulary), 0);
  for (const auto& row : rows) {
    const std::string_view b = row.text_b;
    const Encoding read = tokenizer.encode_text(row.text_a, pair ? &b : nullptr, 1);
    ++counts.at(static_cast<size_t>(read.ids.front()));
  }
  return counts;
}

// Of all that a MaskedModel reads.
std::string texts_sha256(std::span<const GlueRow> rows) {
  Sha256 hash;
  for (const auto& row : rows) hash.update(row.text_a).update("\t").update(row.text_b).update("\n");
  return hash.hex();
}

class Sampling {
 public:
  Sampling(const SampleSource& source, bool pair, int64_t samples, const SampleSettings& settings,
           const FileLayout& layout, const Control& control)
      : source_(source), pair_(pair), samples_(samples), layout_(layout), control_(control) {
    control_.agree([&] { sampler_ = make_text_sampler(source, pair, settings); });
    control_.on_root([&] { identity_ = sample_identity(source, pair, samples, settings, layout); });
  }

  SampleSet run(const std::filesystem::path& path) {
    const int64_t first = find_beginning(path);
    SharedFile file(path, control_, kept_);
    if (first == 0) file.append(control_.root() ? set_header(layout_) + "\n" : "");
    const int64_t window = kWindow * control_.size();
    SampleSet all;
    for (int64_t next = first; next < samples_;) {
      const int64_t end = std::min(samples_, next + window);
      control_.agree([&] { sample(next, end); });
      file.append(lines());
      all = over_ranks();
      control_.on_root([&] {
        check_ends(all, end == samples_);
        if (end < samples_) write_progress(path, identity_, {end, file.flushed(), all});
      });
      next = end;
    }
    file.commit();
    control_.on_root([&] { remove_progress(path); });
    return all;
  }

 private:
  // Number of the first text: 0, or that at which a killed job has stopped. Collective.
  int64_t find_beginning(const std::filesystem::path& path) {
    const auto found = from_root(control_, [&]() -> nlohmann::json {
      const auto progress = read_progress(path, identity_);
      if (!progress) return {0, 0};
      kept_ = progress->bytes;
      set_ = progress->set;
      return {progress->next, progress->set.written};
    });
    in_file_ = found.at(1);
    return found.at(0);
  }

  SampleSet over_ranks() const {
    SampleSet all = set_;
    for (int64_t* count : {&all.begun, &all.written, &all.without_end, &all.malformed, &all.ids})
      *count = control_.sum(*count);
    return all;
  }

  // A model that ends nothing, or makes nothing of use, is found before hours of drawing.
  void check_ends(const SampleSet& all, bool last) const {
    const bool filled = !source_.rows.empty();  // then texts without end are those that were cut
    if (!filled && all.begun >= kManyTexts && all.without_end == all.begun) {
      throw_user_error("language model",
                       fmt::format("none of the {} texts that were begun has ended", all.begun),
                       "train it longer, on texts with their ends, or allow longer texts");
    }
    if (!last || all.written > 0) return;
    throw_user_error(
        "language model",
        fmt::format("none of {} texts is well-formed{}", all.begun,
                    pair_ ? ": two texts, neither of them blank, with one mark between them"
                          : ": not blank, and UTF-8"),
        "train it longer");
  }

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
  const int64_t samples_;
  const FileLayout& layout_;
  const Control& control_;
  std::unique_ptr<TextSampler> sampler_;
  std::vector<std::optional<std::string>> texts_;  // of this rank's part of the window
  int64_t in_file_ = 0;                            // rows of all ranks
  SampleSet set_;                                  // of this rank
  std::string identity_;                           // of the root, as is:
  int64_t kept_ = 0;                               // bytes that a killed job has left
};

}  // namespace

std::string sample_identity(const SampleSource& source, bool pair, int64_t samples,
                            const SampleSettings& settings, const FileLayout& layout) {
  const at::Tensor values = source.model.parameters().values().to(at::kCPU);
  LanguageSettings all;
  all.sampling = settings;
  all.fills_masks = !source.rows.empty();
  const nlohmann::json rest{to_config_json(source.model.config()),
                            source.tokenizer.sha256(),
                            source.first_ids,
                            texts_sha256(source.rows),
                            sampling_json(all),
                            set_header(layout),
                            pair,
                            samples};
  return Sha256().update(values.const_data_ptr(), values.nbytes()).update(rest.dump()).hex();
}

SampleSource sample_source(const TextModel& model, const Tokenizer& tokenizer,
                           std::span<const GlueRow> rows, bool pair) {
  if (find_architecture(model.config().architecture).fills_masks)
    return {model, tokenizer, {}, rows};
  return {model, tokenizer, first_ids(rows, pair, tokenizer, model.config().vocabulary), {}};
}

SampleSet write_sample_set(const SampleSource& source, bool pair, int64_t samples,
                           const SampleSettings& settings, const FileLayout& layout,
                           const std::filesystem::path& path, const Control& control) {
  return Sampling(source, pair, samples, settings, layout, control).run(path);
}

nlohmann::json to_json(const SampleSet& set) {
  return {{"begun", set.begun},
          {"written", set.written},
          {"without_end", set.without_end},
          {"malformed", set.malformed},
          {"ids", set.ids}};
}

}  // namespace kdbench
