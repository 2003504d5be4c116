// SPDX-License-Identifier: MIT
#include "suite/transfer/infill_sampler.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "io/base/error.h"
#include "methods/ops/token_draw.h"

namespace kdbench {
namespace {

constexpr int64_t kGroup = 64;  // texts of one forward pass

constexpr std::string_view kWhiteSpace = " \t\r\n\f\v";

// Of the ids that the vocabulary knows; the model's table may be longer.
at::Tensor drawable_ids(const MaskMarks& marks, int64_t known) {
  std::vector<int64_t> ids;
  for (int64_t id = 0; id < known; ++id) {
    if (!marks.is_special(static_cast<int32_t>(id))) ids.push_back(id);
  }
  return at::tensor(ids, at::kLong);
}

}  // namespace

// A row with masks in it.
struct InfillSampler::MaskedText {
  int64_t number = 0;
  Encoding row;
  bool cut = false;  // it was longer than a text may be
};

InfillSampler::InfillSampler(const SampleSource& source, bool pair, const SampleSettings& settings)
    : model_(dynamic_cast<const MaskedModel&>(source.model)),
      source_(source),
      settings_(settings),
      pair_(pair),
      longest_(std::min(settings.sample_length, source.model.config().longest_row())),
      draws_(settings.sample_seed),
      marks_(source.tokenizer.mask_marks()),
      drawable_(drawable_ids(
          marks_, std::min(source.tokenizer.vocabulary_size(), source.model.config().vocabulary))) {
  if (source.rows.empty())
    throw_user_error("language model", "there is no row whose masks it fills");
}

void InfillSampler::sample(int64_t begin, int64_t end,
                           const std::function<void(int64_t, SampledText)>& take) {
  if (begin >= end) return;
  const int64_t first = begin / kGroup, count = (end - 1) / kGroup + 1 - first;
  std::vector<std::vector<SampledText>> groups(static_cast<size_t>(count));
  // A range of one would not be one thread's work: its matrix products would take them all.
  at::parallel_for(0, std::max<int64_t>(2, count), 1, [&](int64_t from, int64_t to) {
    for (int64_t group = from; group < std::min(to, count); ++group)
      groups[static_cast<size_t>(group)] = sample_group((first + group) * kGroup);
  });
  for (int64_t number = begin; number < end; ++number) {
    auto& group = groups[static_cast<size_t>(number / kGroup - first)];
    take(number, std::move(group[static_cast<size_t>(number % kGroup)]));
  }
}

std::vector<SampledText> InfillSampler::sample_group(int64_t first) const {
  std::vector<MaskedText> texts;
  for (int64_t i = 0; i < kGroup; ++i) texts.push_back(masked_text(first + i));
  fill(texts);
  std::vector<SampledText> samples;
  for (const auto& text : texts) {
    const auto& ids = text.row.ids;
    // Without the mark that begins a row; its last separator ends the text.
    samples.push_back({{ids.begin() + 1, ids.end() - (text.cut ? 1 : 0)}, !text.cut});
  }
  return samples;
}

InfillSampler::MaskedText InfillSampler::masked_text(int64_t number) const {
  const auto row = static_cast<size_t>(number % static_cast<int64_t>(source_.rows.size()));
  const GlueRow& from = source_.rows[row];
  size_t word = 0;
  const std::string a = mask_words(from.text_a, number, word);
  const std::string b = pair_ ? mask_words(from.text_b, number, word) : "";
  const std::string_view second = b;
  const auto encoded = [&](int64_t longest) {
    return source_.tokenizer.encode_row(a, pair_ ? &second : nullptr, static_cast<int>(longest));
  };
  MaskedText text{number, encoded(longest_ + 1), false};
  text.cut = static_cast<int64_t>(text.row.ids.size()) > longest_;
  if (text.cut) text.row = encoded(longest_);
  return text;
}

// `word` counts those of both texts of a pair.
std::string InfillSampler::mask_words(std::string_view text, int64_t number, size_t& word) const {
  std::string masked;
  for (size_t begin = text.find_first_not_of(kWhiteSpace); begin != std::string_view::npos;) {
    const size_t end = std::min(text.find_first_of(kWhiteSpace, begin), text.size());
    if (!masked.empty()) masked += ' ';
    const double drawn = draws_.uniform(number, word++, SampleDraw::kWord);
    masked += drawn < settings_.infill_prob ? std::string_view(marks_.text)
                                            : text.substr(begin, end - begin);
    begin = text.find_first_not_of(kWhiteSpace, end);
  }
  return masked;
}

// One forward pass; every mask is drawn from its own scores.
void InfillSampler::fill(std::vector<MaskedText>& texts) const {
  struct Place {
    size_t text, index;
  };
  std::vector<Place> masks;
  std::vector<int64_t> tokens, offsets = {0}, segments, row_ids, places;
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto& ids = texts[i].row.ids;
    for (size_t j = 0; j < ids.size(); ++j) {
      if (ids[j] != marks_.mask) continue;
      masks.push_back({i, j});
      places.push_back(offsets.back() + static_cast<int64_t>(j));
    }
    tokens.insert(tokens.end(), ids.begin(), ids.end());
    offsets.push_back(static_cast<int64_t>(tokens.size()));
    segments.push_back(texts[i].row.first_segment);
    row_ids.push_back(texts[i].number);
  }
  if (masks.empty()) return;
  Batch batch;
  batch.global_rows = static_cast<int64_t>(texts.size());
  batch.row_ids = at::tensor(row_ids, at::kLong);
  batch.ragged[field::kTokens] = {at::tensor(tokens, at::kLong), at::tensor(offsets, at::kLong)};
  batch.dense[field::kFirstSegment] = at::tensor(segments, at::kLong);
  const at::Device device = model_.parameters().device();
  const TokenRule rule{settings_.temperature, settings_.top_k, settings_.top_p};
  const auto* ids = drawable_.const_data_ptr<int64_t>();
  model_.score(batch.to(device), at::tensor(places, at::kLong).to(device),
               [&](int64_t first, const at::Tensor& all) {
                 const at::Tensor scores = all.index_select(1, drawable_);
                 for (int64_t i = 0; i < scores.size(0); ++i) {
                   const Place& place = masks[static_cast<size_t>(first + i)];
                   MaskedText& text = texts[place.text];
                   const int64_t drawn = draw_token(
                       scores.size(1), scores.mutable_data_ptr<float>() + i * scores.size(1), rule,
                       draws_.uniform(text.number, place.index));
                   text.row.ids[place.index] = static_cast<int32_t>(ids[drawn]);
                 }
               });
}

}  // namespace kdbench
