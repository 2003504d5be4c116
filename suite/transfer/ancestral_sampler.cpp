// SPDX-License-Identifier: MIT
#include "suite/transfer/ancestral_sampler.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "io/base/error.h"
#include "methods/ops/token_draw.h"

namespace kdbench {
namespace {

// Texts at work at once (tests/bench/README.md).
constexpr int64_t kPlaces = 64;

std::vector<int64_t> sums_of_beginnings(const SampleSource& source, const TextMarks& marks) {
  std::vector<int64_t> sums;
  int64_t sum = 0;
  for (size_t id = 0; id < source.first_ids.size(); ++id) {
    const auto number = static_cast<int64_t>(id);
    if (number != marks.end && number != marks.between) sum += source.first_ids[id];
    sums.push_back(sum);
  }
  if (sum == 0)
    throw_user_error("language model", "no training text has an id that a sample could begin with");
  return sums;
}

}  // namespace

AncestralSampler::AncestralSampler(const SampleSource& source, bool pair,
                                   const SampleSettings& settings)
    : settings_(settings),
      marks_(source.tokenizer.text_marks()),
      marks_needed_(pair && marks_.between == marks_.end ? 2 : 1),
      longest_(std::min(settings.sample_length, source.model.config().longest_row())),
      draws_(settings.sample_seed),
      first_sums_(sums_of_beginnings(source, marks_)),
      decoder_(dynamic_cast<const LanguageModel&>(source.model).decoder(kPlaces, longest_)) {}

void AncestralSampler::sample(int64_t begin, int64_t end,
                              const std::function<void(int64_t, SampledText)>& take) {
  std::vector<Place> places(
      static_cast<size_t>(std::min(kPlaces, std::max<int64_t>(end - begin, 0))));
  std::vector<int64_t> active;
  for (size_t i = 0; i < places.size(); ++i) {
    begin_text(places[i], begin++);
    decoder_->clear(static_cast<int64_t>(i));
    active.push_back(static_cast<int64_t>(i));
  }
  while (!active.empty()) {
    std::vector<int64_t> ids;
    for (const int64_t i : active) ids.push_back(places[static_cast<size_t>(i)].text.ids.back());
    const at::Tensor scores = decoder_->advance(active, ids);
    std::vector<char> finished(active.size());
    at::parallel_for(0, static_cast<int64_t>(active.size()), 1, [&](int64_t from, int64_t to) {
      for (int64_t row = from; row < to; ++row)
        finished[static_cast<size_t>(row)] =
            go_on(places[static_cast<size_t>(active[static_cast<size_t>(row)])],
                  scores.mutable_data_ptr<float>() + row * scores.size(1));
    });
    std::vector<int64_t> next;
    for (size_t row = 0; row < active.size(); ++row) {
      Place& place = places[static_cast<size_t>(active[row])];
      if (finished[row]) {
        take(place.number, std::move(place.text));
        if (begin == end) continue;
        begin_text(place, begin++);
        decoder_->clear(active[row]);
      }
      next.push_back(active[row]);
    }
    active = std::move(next);
  }
}

void AncestralSampler::begin_text(Place& place, int64_t number) const {
  place = {number, 0, {}};
  const auto drawn =
      static_cast<int64_t>(draws_.uniform(number, 0) * static_cast<double>(first_sums_.back()));
  const auto id = std::upper_bound(first_sums_.begin(), first_sums_.end(), drawn);
  place.text.ids.push_back(static_cast<int32_t>(id - first_sums_.begin()));
}

bool AncestralSampler::go_on(Place& place, float* scores) const {
  const TokenRule rule{settings_.temperature, settings_.top_k, settings_.top_p};
  auto& ids = place.text.ids;
  const auto id = static_cast<int32_t>(draw_token(static_cast<int64_t>(first_sums_.size()), scores,
                                                  rule, draws_.uniform(place.number, ids.size())));
  ids.push_back(id);
  if (id == marks_.end) place.text.ended = ++place.marks == marks_needed_;
  return place.text.ended || static_cast<int64_t>(ids.size()) >= longest_;
}

}  // namespace kdbench
