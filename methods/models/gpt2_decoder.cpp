// SPDX-License-Identifier: MIT
// GPT-2 token by token: one row of activations a place, products by packed weights, attention over
// each place's own cache. On the CPU in float32, whatever device the model is on.
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "methods/models/decoder_parts.h"
#include "methods/models/gpt2.h"
#include "methods/ops/bias_gelu.h"
#include "methods/ops/head_cache.h"
#include "methods/ops/packed_weight.h"
#include "methods/ops/row_kernels.h"
#include "methods/ops/softmax_rows.h"

namespace kdbench {
namespace {

struct PackedDense {
  explicit PackedDense(const Gpt2Parameters::Dense& dense)
      : weight(dense.weight), bias(floats_of(dense.bias)) {}

  void operator()(int64_t rows, const Floats& x, Floats& y) const {
    weight.multiply(rows, x.data(), bias.data(), y.data());
  }

  PackedWeight weight;
  Floats bias;
};

struct PackedLayer {
  explicit PackedLayer(const Gpt2Parameters::Layer& layer)
      : attention_norm(layer.attention_norm),
        inner_norm(layer.inner_norm),
        qkv(layer.qkv),
        context(layer.context),
        inner(layer.inner),
        output(layer.output) {}

  PackedNorm attention_norm, inner_norm;
  PackedDense qkv, context, inner, output;
};

class Gpt2Decoder : public Decoder {
 public:
  Gpt2Decoder(const ModelConfig& config, const Gpt2Parameters& parameters, int64_t places,
              int64_t longest)
      : vocabulary_(config.vocabulary),
        width_(config.hidden),
        inner_(config.intermediate),
        heads_(config.heads),
        longest_(std::min(longest, config.longest_row())),
        room_((longest_ + kKeyBlock - 1) / kKeyBlock * kKeyBlock),
        tokens_(floats_of(parameters.tokens)),
        positions_(floats_of(parameters.positions)),
        layers_(parameters.layers.begin(), parameters.layers.end()),
        last_norm_(parameters.last_norm),
        scores_(parameters.tokens.t()),
        lengths_(places) {
    caches_ = at::empty({places, config.layers, heads_, HeadCache::floats(head_size(), room_)});
  }

  int64_t longest() const override { return longest_; }
  int64_t length(int64_t place) const override { return lengths_.at(place); }
  void clear(int64_t place) override { lengths_.at(place) = 0; }

  at::Tensor advance(const std::vector<int64_t>& places, const std::vector<int64_t>& ids) override {
    check_step(places, ids, lengths_, longest_, vocabulary_);
    const auto rows = static_cast<int64_t>(places.size());
    Floats state = embedded(places, ids), normalized(state.size()), added(state.size());
    Floats qkv(3 * state.size()), inner(rows * inner_);
    for (size_t layer = 0; layer < layers_.size(); ++layer) {
      const PackedLayer& p = layers_[layer];
      p.attention_norm(rows, state, normalized);
      p.qkv(rows, normalized, qkv);
      attend(places, static_cast<int64_t>(layer), qkv, normalized);
      p.context(rows, normalized, added);
      add_row(rows * width_, added.data(), state.data());
      p.inner_norm(rows, state, normalized);
      p.inner.weight.multiply(rows, normalized.data(), nullptr, inner.data());
      for (int64_t row = 0; row < rows; ++row)
        gelu_tanh_row(inner_, p.inner.bias.data(), inner.data() + row * inner_);
      p.output(rows, inner, added);
      add_row(rows * width_, added.data(), state.data());
    }
    for (const int64_t place : places) ++lengths_[place];
    last_norm_(rows, state, normalized);
    at::Tensor scores = at::empty({rows, vocabulary_}, at::kFloat);
    scores_.multiply(rows, normalized.data(), nullptr, scores.mutable_data_ptr<float>());
    return scores;
  }

  at::Tensor read(int64_t place, const std::vector<int64_t>& ids) override {
    at::Tensor scores;
    for (const int64_t id : ids) scores = advance({place}, {id});
    return scores.squeeze(0);
  }

 private:
  int64_t head_size() const { return width_ / heads_; }

  HeadCache cache(int64_t place, int64_t layer, int64_t head) {
    const auto layers = static_cast<int64_t>(layers_.size());
    const int64_t index = (place * layers + layer) * heads_ + head;
    return {caches_.mutable_data_ptr<float>() + index * HeadCache::floats(head_size(), room_),
            head_size(), room_};
  }

  Floats embedded(const std::vector<int64_t>& places, const std::vector<int64_t>& ids) const {
    Floats state(places.size() * width_);
    for (size_t row = 0; row < places.size(); ++row) {
      const float* token = tokens_.data() + ids[row] * width_;
      const float* position = positions_.data() + lengths_[places[row]] * width_;
      for (int64_t h = 0; h < width_; ++h) state[row * width_ + h] = token[h] + position[h];
    }
    return state;
  }

  // context (rows, H) of qkv (rows, 3 H); adds the keys and values to the caches.
  void attend(const std::vector<int64_t>& places, int64_t layer, const Floats& qkv,
              Floats& context) {
    const int64_t size = head_size();
    const auto rows = static_cast<int64_t>(places.size());
    const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(size)));
    at::parallel_for(0, rows * heads_, 1, [&](int64_t begin, int64_t end) {
      Floats query(size), weights(room_), out(padded_columns(size));
      const std::vector<uint32_t> words(room_);
      for (int64_t pair = begin; pair < end; ++pair) {
        const int64_t row = pair / heads_, head = pair % heads_, place = places[row];
        const int64_t before = lengths_[place], count = before + 1;
        const float* q = qkv.data() + row * 3 * width_ + head * size;
        HeadCache kept = cache(place, layer, head);
        kept.put(before, q + width_, q + 2 * width_);
        for (int64_t c = 0; c < size; ++c) query[c] = q[c] * scale;
        kept.scores(count, query.data(), weights.data());
        const int64_t padded = padded_columns(count);
        std::fill(weights.begin() + count, weights.begin() + padded,
                  -std::numeric_limits<float>::infinity());
        softmax_dropout(padded, weights.data(), words.data(), {});
        kept.weigh(count, weights.data(), out.data());
        std::copy_n(out.data(), size, context.data() + row * width_ + head * size);
      }
    });
  }

  const int64_t vocabulary_, width_, inner_, heads_, longest_, room_;
  const Floats tokens_, positions_;
  const std::vector<PackedLayer> layers_;
  const PackedNorm last_norm_;
  const PackedWeight scores_;
  std::vector<int64_t> lengths_;
  at::Tensor caches_;  // (places, layers, heads, floats of a head)
};

}  // namespace

std::unique_ptr<Decoder> make_gpt2_decoder(const ModelConfig& config,
                                           const Gpt2Parameters& parameters, int64_t places,
                                           int64_t longest) {
  return std::make_unique<Gpt2Decoder>(config, parameters, places, longest);
}

}  // namespace kdbench
