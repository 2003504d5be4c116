// SPDX-License-Identifier: MIT
// Transformer-XL token by token: each place keeps the keys and values of its tokens; the memory of
// zeros before them has only terms of distance. On the CPU in float32.
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "methods/models/decoder_parts.h"
#include "methods/models/transfo_xl.h"
#include "methods/ops/head_cache.h"
#include "methods/ops/log_sum_rows.h"
#include "methods/ops/packed_weight.h"
#include "methods/ops/row_kernels.h"
#include "methods/ops/softmax_rows.h"

namespace kdbench {
namespace {

int64_t whole_blocks(int64_t tokens) { return (tokens + kKeyBlock - 1) / kKeyBlock * kKeyBlock; }

// What a place sees of its text.
struct Sight {
  int64_t count = 0;   // tokens read, with the one at hand
  int64_t window = 0;  // tokens seen, zeros included: the last ones
  int64_t seen() const { return std::min(count, window); }
};

class XlLayer {
 public:
  XlLayer(const TransfoXlParameters::Layer& p, const at::Tensor& signals, int64_t heads,
          int64_t size)
      : attention_norm(p.attention_norm),
        inner_norm(p.inner_norm),
        qkv(p.qkv.t()),
        output(p.output.t()),
        inner(p.inner.t()),
        outer(p.outer.t()),
        inner_bias(floats_of(p.inner_bias)),
        outer_bias(floats_of(p.outer_bias)),
        content_bias(floats_of(p.content_bias)),
        distance_bias(floats_of(p.distance_bias)),
        distances_(signals.size(0)),
        size_(size),
        floats_(HeadCache::floats(size, whole_blocks(distances_))),
        by_distance_(heads * floats_) {
    const Floats keys = floats_of(at::mm(signals, p.distances.detach().to(at::kCPU).t()));
    const Floats nothing(size);
    for (int64_t head = 0; head < heads; ++head) {
      HeadCache cache = distance_cache(head);
      for (int64_t d = 0; d < distances_; ++d)
        cache.put(d, keys.data() + (d * heads + head) * size, nothing.data());
    }
  }

  // scores[d] of distance d = 0 .. count - 1; all above the last kept one are that one's.
  void distance_scores(int64_t head, int64_t count, const float* query, Floats& scores) {
    const int64_t kept = std::min(count, distances_);
    distance_cache(head).scores(kept, query, scores.data());
    for (int64_t d = kept; d < count; ++d) scores[d] = scores[kept - 1];
  }

  const PackedNorm attention_norm, inner_norm;
  const PackedWeight qkv, output, inner, outer;
  const Floats inner_bias, outer_bias, content_bias, distance_bias;

 private:
  HeadCache distance_cache(int64_t head) {
    return {by_distance_.data() + head * floats_, size_, whole_blocks(distances_)};
  }

  int64_t distances_, size_, floats_;
  Floats by_distance_;
};

// A cluster's words, on the way in and out.
struct PackedCluster {
  PackedCluster(const WordCluster& cluster, const at::Tensor& more_rows,
                const at::Tensor& more_bias)
      : first(cluster.first), last(cluster.last), width(cluster.table.size(1)) {
    at::Tensor out = cluster.own_rows().detach(), out_bias = cluster.own_bias().detach();
    rows = floats_of(out);
    if (more_rows.defined()) {
      out = at::cat({out, more_rows.detach()});
      out_bias = at::cat({out_bias, more_bias.detach()});
    }
    table = PackedWeight(out.t());
    bias = floats_of(out_bias);
    projected = cluster.in_projection.defined();
    if (!projected) return;
    in_projection = PackedWeight(cluster.in_projection.t());
    out_projection = PackedWeight(cluster.out_projection);
  }

  int64_t first, last, width;
  Floats rows, bias;
  bool projected = false;
  PackedWeight table, in_projection, out_projection;
};

class TransfoXlDecoder : public Decoder {
 public:
  TransfoXlDecoder(const ModelConfig& config, const TransfoXlParameters& parameters, int64_t places,
                   int64_t longest)
      : config_(config), longest_(longest), room_(whole_blocks(longest)), lengths_(places) {
    int64_t distances = config.memory + std::max(longest, config.segment);
    if (config.clamp_length >= 0) distances = std::min(distances, config.clamp_length + 1);
    const at::Tensor signals = distance_signals(distances, config);
    layers_.reserve(parameters.layers.size());
    for (const auto& layer : parameters.layers)
      layers_.emplace_back(layer, signals, config.heads, config.head_size);
    for (const auto& cluster : parameters.clusters) {
      const bool head = clusters_.empty();
      clusters_.emplace_back(cluster, head ? parameters.tail_weight : at::Tensor(),
                             head ? parameters.tail_bias : at::Tensor());
    }
    caches_ = at::empty(
        {places, config.layers, config.heads, HeadCache::floats(config.head_size, room_)});
  }

  int64_t longest() const override { return longest_; }
  int64_t length(int64_t place) const override { return lengths_.at(place); }
  void clear(int64_t place) override { lengths_.at(place) = 0; }

  at::Tensor advance(const std::vector<int64_t>& places, const std::vector<int64_t>& ids) override {
    return step(places, ids, 0);
  }

  // In segments. A token of one sees the whole memory before its segment.
  at::Tensor read(int64_t place, const std::vector<int64_t>& ids) override {
    at::Tensor scores;
    for (size_t i = 0; i < ids.size(); ++i)
      scores = step({place}, {ids[i]}, static_cast<int64_t>(i) % config_.segment);
    return scores.squeeze(0);
  }

 private:
  // `before`: tokens of the same segment before the one at hand.
  at::Tensor step(const std::vector<int64_t>& places, const std::vector<int64_t>& ids,
                  int64_t before) {
    check_step(places, ids, lengths_, longest_, config_.vocabulary);
    const auto rows = static_cast<int64_t>(places.size());
    const int64_t window = config_.same_length ? config_.memory : config_.memory + 1 + before;
    Floats state = embedded(ids), added(state.size());
    Floats qkv(rows * 3 * all_heads()), context(rows * all_heads());
    Floats inner(rows * config_.intermediate);
    for (size_t layer = 0; layer < layers_.size(); ++layer) {
      const XlLayer& p = layers_[layer];
      p.qkv.multiply(rows, state.data(), nullptr, qkv.data());
      attend(places, static_cast<int64_t>(layer), window, qkv, context);
      p.output.multiply(rows, context.data(), nullptr, added.data());
      add_row(rows * config_.hidden, added.data(), state.data());
      p.attention_norm(rows, state, state);
      p.inner.multiply(rows, state.data(), p.inner_bias.data(), inner.data());
      for (float& value : inner) value = std::max(value, 0.0f);
      p.outer.multiply(rows, inner.data(), p.outer_bias.data(), added.data());
      add_row(rows * config_.hidden, added.data(), state.data());
      p.inner_norm(rows, state, state);
    }
    for (const int64_t place : places) ++lengths_[place];
    return log_probabilities(rows, state);
  }

  int64_t all_heads() const { return config_.heads * config_.head_size; }

  HeadCache cache(int64_t place, int64_t layer, int64_t head) {
    const int64_t index = (place * config_.layers + layer) * config_.heads + head;
    const int64_t floats = HeadCache::floats(config_.head_size, room_);
    return {caches_.mutable_data_ptr<float>() + index * floats, config_.head_size, room_};
  }

  Floats embedded(const std::vector<int64_t>& ids) const {
    const auto scale = static_cast<float>(std::sqrt(static_cast<double>(config_.hidden)));
    Floats state(ids.size() * config_.hidden);
    for (size_t row = 0; row < ids.size(); ++row) {
      const auto cluster = std::find_if(clusters_.begin(), clusters_.end(),
                                        [&](const auto& one) { return ids[row] < one.last; });
      const float* word = cluster->rows.data() + (ids[row] - cluster->first) * cluster->width;
      float* to = state.data() + row * config_.hidden;
      if (cluster->projected) {
        cluster->in_projection.multiply(1, word, nullptr, to);
      } else {
        std::copy_n(word, config_.hidden, to);
      }
      for (int64_t h = 0; h < config_.hidden; ++h) to[h] *= scale;
    }
    return state;
  }

  void attend(const std::vector<int64_t>& places, int64_t layer, int64_t window, const Floats& qkv,
              Floats& context) {
    const auto rows = static_cast<int64_t>(places.size());
    at::parallel_for(0, rows * config_.heads, 1, [&](int64_t begin, int64_t end) {
      for (int64_t pair = begin; pair < end; ++pair) {
        const int64_t row = pair / config_.heads, head = pair % config_.heads;
        const float* q = qkv.data() + row * 3 * all_heads() + head * config_.head_size;
        const Sight sight{lengths_[places[row]] + 1, window};
        HeadCache kept = cache(places[row], layer, head);
        kept.put(sight.count - 1, q + all_heads(), q + 2 * all_heads());
        attend_head(layers_[layer], head, sight, q, kept,
                    context.data() + row * all_heads() + head * config_.head_size);
      }
    });
  }

  // Scores and weights stand by distance here: 0 is the token itself.
  void attend_head(XlLayer& layer, int64_t head, const Sight& sight, const float* q,
                   const HeadCache& kept, float* context) const {
    const int64_t size = config_.head_size, seen = sight.seen();
    const int64_t keys = config_.zero_memory ? sight.window : seen;
    const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(size)));
    Floats content(size), distance(size);
    for (int64_t c = 0; c < size; ++c) {
      content[c] = (q[c] + layer.content_bias[head * size + c]) * scale;
      distance[c] = (q[c] + layer.distance_bias[head * size + c]) * scale;
    }
    Floats weights(whole_blocks(keys)), by_content(whole_blocks(sight.count));
    layer.distance_scores(head, keys, distance.data(), weights);
    kept.scores(sight.count, content.data(), by_content.data());
    for (int64_t d = 0; d < seen; ++d) weights[d] += by_content[sight.count - 1 - d];
    std::fill(weights.begin() + keys, weights.end(), -std::numeric_limits<float>::infinity());
    const std::vector<uint32_t> words(weights.size());
    softmax_dropout(static_cast<int64_t>(weights.size()), weights.data(), words.data(), {});
    std::fill(by_content.begin(), by_content.end(), 0.0f);
    for (int64_t d = 0; d < seen; ++d) by_content[sight.count - 1 - d] = weights[d];
    Floats out(padded_columns(size));
    kept.weigh(sight.count, by_content.data(), out.data());
    std::copy_n(out.data(), size, context);
  }

  // (rows, V) of the whole vocabulary.
  at::Tensor log_probabilities(int64_t rows, const Floats& state) const {
    at::Tensor all = at::empty({rows, config_.vocabulary}, at::kFloat);
    float* to = all.mutable_data_ptr<float>();
    Floats before(rows * (clusters_.size() - 1));  // log p of the tails
    for (size_t i = 0; i < clusters_.size(); ++i) {
      const PackedCluster& cluster = clusters_[i];
      const int64_t entries = cluster.table.out(), words = cluster.last - cluster.first;
      Floats narrow(rows * cluster.width), scores(rows * entries);
      if (cluster.projected)
        cluster.out_projection.multiply(rows, state.data(), nullptr, narrow.data());
      cluster.table.multiply(rows, cluster.projected ? narrow.data() : state.data(),
                             cluster.bias.data(), scores.data());
      for (int64_t row = 0; row < rows; ++row) {
        const float* score = scores.data() + row * entries;
        const auto tails = static_cast<int64_t>(clusters_.size()) - 1;
        const float log_sum = log_sum_exp(entries, score);
        const float shift =
            (i == 0 ? 0.0f : before[row * tails + static_cast<int64_t>(i) - 1]) - log_sum;
        float* words_of_row = to + row * config_.vocabulary + cluster.first;
        for (int64_t w = 0; w < words; ++w) words_of_row[w] = score[w] + shift;
        if (i > 0) continue;
        for (int64_t tail = 0; tail < tails; ++tail)
          before[row * tails + tail] = score[words + tail] - log_sum;
      }
    }
    return all;
  }

  const ModelConfig config_;
  const int64_t longest_, room_;
  std::vector<XlLayer> layers_;
  std::vector<PackedCluster> clusters_;
  std::vector<int64_t> lengths_;
  at::Tensor caches_;  // (places, layers, heads, floats of a head)
};

}  // namespace

std::unique_ptr<Decoder> make_transfo_xl_decoder(const ModelConfig& config,
                                                 const TransfoXlParameters& parameters,
                                                 int64_t places, int64_t longest) {
  return std::make_unique<TransfoXlDecoder>(config, parameters, places, longest);
}

}  // namespace kdbench
