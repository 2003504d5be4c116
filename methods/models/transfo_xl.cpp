// SPDX-License-Identifier: MIT
#include "methods/models/transfo_xl.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "methods/ops/distance_attention.h"
#include "methods/ops/linear.h"
#include "methods/ops/lookup.h"
#include "methods/ops/target_loss.h"

namespace kdbench {
namespace {

std::string decoder_prefix(int64_t layer) { return "layers." + std::to_string(layer) + "."; }
std::string table_name(size_t cluster) {
  return "word_emb.emb_layers." + std::to_string(cluster) + ".weight";
}
std::string in_projection_name(size_t cluster) {
  return "word_emb.emb_projs." + std::to_string(cluster);
}
std::string out_projection_name(size_t cluster) {
  return "crit.out_projs." + std::to_string(cluster);
}
std::string out_bias_name(size_t cluster) {
  return "crit.out_layers." + std::to_string(cluster) + ".bias";
}

// The first id of each cluster, and the vocabulary's size.
std::vector<int64_t> cluster_bounds(const ModelConfig& config) {
  std::vector<int64_t> bounds = {0};
  bounds.insert(bounds.end(), config.cutoffs.begin(), config.cutoffs.end());
  bounds.push_back(config.vocabulary);
  return bounds;
}

int64_t cluster_width(const ModelConfig& config, size_t cluster) {
  int64_t width = config.embedding;
  for (size_t i = 0; i < cluster; ++i) width /= config.cluster_division;
  return width;
}

// One table and one projection serve all clusters where these are equally wide.
bool is_divided(const ModelConfig& config) { return config.cluster_division > 1; }
bool has_projections(const ModelConfig& config) {
  return is_divided(config) || config.embedding != config.hidden;
}

// The numbers of the dropout sites: embedding, distances, the end, and four a layer.
enum XlSite : int64_t { kXlProbabilities, kXlOutput, kXlInner, kXlOuter, kXlSites };
constexpr uint32_t kXlEmbedding = 0, kXlDistances = 1, kXlEnd = 2;
uint32_t xl_place(int64_t layer, XlSite site) {
  return static_cast<uint32_t>(3 + kXlSites * layer + site);
}

// The tokens of one segment of all rows that reach it.
struct RowSegment {
  struct Part {
    int64_t row = 0, token = 0, count = 0;  // where its tokens begin, in the batch
    int64_t before = 0;                     // tokens of the row before them
  };
  std::vector<Part> parts;
  at::Tensor tokens;  // (t) indices into the batch's tokens
  TokenRows rows;     // of these tokens, with their positions in the whole row
};

class TransfoXl : public LanguageModel {
 public:
  TransfoXl(const ModelConfig& config, Parameters parameters)
      : LanguageModel(config, std::move(parameters)), bound_(config_, parameters_) {}

  at::Tensor target_losses(const Batch& batch, const ForwardMode& mode) override {
    check_ids(batch.ragged_field(field::kTokens).values);
    const Targets targets = find_targets(batch);
    const States states = read_all(batch, mode);
    return losses_of(states.last.index_select(0, targets.positions), targets.ids);
  }

  std::unique_ptr<Decoder> decoder(int64_t places, int64_t longest) const override {
    return make_transfo_xl_decoder(config_, bound_, places, longest);
  }

  double forward_flops(int64_t length) const override {
    const auto tokens = static_cast<double>(length), width = static_cast<double>(config_.hidden);
    const auto inner = static_cast<double>(config_.intermediate);
    const auto all_heads = static_cast<double>(config_.heads * config_.head_size);
    const auto keys =
        static_cast<double>(config_.memory) + std::min(tokens, double(config_.segment));
    const double layer =
        2 * 4 * width * all_heads + 3 * 2 * keys * all_heads + 2 * 2 * width * inner;
    const auto bounds = cluster_bounds(config_);
    const auto head = static_cast<double>(bounds[1]) * static_cast<double>(config_.embedding);
    return static_cast<double>(config_.layers) * tokens * layer + (tokens - 1) * 2 * head;
  }

  at::Tensor memory(const Batch& batch, int64_t row) const {
    const States states = read_all(batch, {});
    const int64_t* offsets = batch.ragged_field(field::kTokens).offsets.const_data_ptr<int64_t>();
    const int64_t count = std::min(config_.memory, offsets[row + 1] - offsets[row]);
    at::Tensor kept = at::zeros({config_.layers, config_.memory, config_.hidden},
                                states.last.options().requires_grad(false));
    for (int64_t layer = 0; layer < config_.layers; ++layer) {
      kept[layer]
          .narrow(0, config_.memory - count, count)
          .copy_(states.inputs[layer].narrow(0, offsets[row + 1] - count, count));
    }
    return kept;
  }

 private:
  struct States {
    std::vector<at::Tensor> inputs;  // of each layer, (T, d_model), without gradients
    at::Tensor last;                 // (T, d_model)
  };

  RowSegment segment_of(const Batch& batch, int64_t index) const {
    const Ragged& tokens = batch.ragged_field(field::kTokens);
    const int64_t* offsets = tokens.offsets.const_data_ptr<int64_t>();
    const int64_t* ids = batch.row_ids.const_data_ptr<int64_t>();
    RowSegment segment;
    std::vector<int64_t> places, starts = {0}, row_ids;
    for (int64_t row = 0; row < batch.rows(); ++row) {
      const int64_t before = index * config_.segment, begin = offsets[row] + before;
      const int64_t count = std::min(config_.segment, offsets[row + 1] - begin);
      if (count <= 0) continue;
      segment.parts.push_back({row, begin, count, before});
      for (int64_t i = 0; i < count; ++i) places.push_back(begin + i);
      starts.push_back(starts.back() + count);
      row_ids.push_back(ids[row]);
    }
    const at::Device device = tokens.values.device();
    segment.tokens = at::tensor(places, at::kLong).to(device);
    segment.rows =
        make_token_rows(at::tensor(starts, at::kLong), at::tensor(row_ids, at::kLong), device);
    segment.rows.position = segment.rows.position + index * config_.segment;
    return segment;
  }

  // Words by their clusters' tables and projections, times sqrt(d_model).
  at::Tensor embed(const at::Tensor& ids) const {
    const auto vector_of = [](const WordCluster& cluster, const at::Tensor& table,
                              const at::Tensor& index) {
      const at::Tensor rows = lookup(table, index);
      return cluster.in_projection.defined() ? kdbench::linear(rows, cluster.in_projection) : rows;
    };
    const double scale = std::sqrt(static_cast<double>(config_.hidden));
    if (!is_divided(config_))
      return vector_of(bound_.clusters.front(), parameters_[table_name(0)], ids) * scale;
    at::Tensor all = at::zeros({ids.size(0), config_.hidden}, parameters_.values().options());
    for (const auto& cluster : bound_.clusters) {
      const at::Tensor chosen =
          ids.ge(cluster.first).logical_and(ids.lt(cluster.last)).nonzero().squeeze(1);
      if (chosen.size(0) == 0) continue;
      all = all.index_copy(
          0, chosen,
          vector_of(cluster, cluster.table, ids.index_select(0, chosen) - cluster.first));
    }
    return all * scale;
  }

  States read_all(const Batch& batch, const ForwardMode& mode) const {
    const Ragged& tokens = batch.ragged_field(field::kTokens);
    const TokenRows rows = make_token_rows(tokens.offsets, batch.row_ids, tokens.values.device());
    const at::Tensor words = kdbench::dropout(
        embed(tokens.values), mode.dropout(config_.hidden_dropout, kXlEmbedding), rows);
    const std::vector<at::Tensor> distances = distance_keys(rows.longest, mode);
    States states;
    const at::Tensor none = at::zeros(words.sizes(), words.options().requires_grad(false));
    for (int64_t layer = 0; layer < config_.layers; ++layer) states.inputs.push_back(none.clone());
    std::vector<at::Tensor> ends, places;
    for (int64_t index = 0; index * config_.segment < rows.longest; ++index) {
      const RowSegment segment = segment_of(batch, index);
      at::Tensor state = words.index_select(0, segment.tokens);
      for (int64_t layer = 0; layer < config_.layers; ++layer) {
        states.inputs[layer].index_copy_(0, segment.tokens, state.detach());
        state = read_layer(layer, state, segment, states.inputs[layer], distances[layer], mode);
      }
      ends.push_back(
          kdbench::dropout(state, mode.dropout(config_.hidden_dropout, kXlEnd), segment.rows));
      places.push_back(segment.tokens);
    }
    states.last = none;
    if (!ends.empty()) states.last = none.index_copy(0, at::cat(places), at::cat(ends));
    return states;
  }

  // r of each layer by distance, (distances, h, d). All distances that occur, up to the clamp's.
  std::vector<at::Tensor> distance_keys(int64_t longest, const ForwardMode& mode) const {
    int64_t count = config_.memory + std::min(config_.segment, longest);
    if (config_.clamp_length >= 0) count = std::min(count, config_.clamp_length + 1);
    const at::Tensor place = at::arange(count, at::kLong);
    const TokenRows rows = make_token_rows(at::tensor({int64_t{0}, count}, at::kLong),
                                           at::zeros({1}, at::kLong), parameters_.device());
    const at::Tensor signals =
        kdbench::dropout(distance_signals(count, config_).to(parameters_.device()),
                         mode.dropout(config_.hidden_dropout, kXlDistances), rows);
    std::vector<at::Tensor> keys;
    for (const auto& layer : bound_.layers)
      keys.push_back(kdbench::linear(signals, layer.distances)
                         .view({count, config_.heads, config_.head_size}));
    return keys;
  }

  // Queries, keys and values of tokens: (tokens, 3, h, d).
  at::Tensor project(const at::Tensor& x, int64_t layer) const {
    return kdbench::linear(x, bound_.layers[layer].qkv)
        .view({x.size(0), 3, config_.heads, config_.head_size});
  }

  at::Tensor read_layer(int64_t layer, const at::Tensor& state, const RowSegment& segment,
                        const at::Tensor& inputs, const at::Tensor& distances,
                        const ForwardMode& mode) const {
    const TransfoXlParameters::Layer& p = bound_.layers[layer];
    const at::Tensor context = attend(layer, state, segment, inputs, distances, mode);
    const at::Tensor no_bias = at::zeros({config_.hidden}, context.options().requires_grad(false));
    const at::Tensor middle = dropout_add_layer_norm(
        kdbench::linear(context, p.output), no_bias, state, p.attention_norm,
        mode.dropout(config_.hidden_dropout, xl_place(layer, kXlOutput)), segment.rows);
    const at::Tensor inner = kdbench::dropout(
        at::relu(kdbench::linear(middle, p.inner, p.inner_bias)),
        mode.dropout(config_.hidden_dropout, xl_place(layer, kXlInner)), segment.rows);
    return dropout_add_layer_norm(
        kdbench::linear(inner, p.outer), p.outer_bias, middle, p.inner_norm,
        mode.dropout(config_.hidden_dropout, xl_place(layer, kXlOuter)), segment.rows);
  }

  // (t, h * d), row by row. No gradient flows into the memory, but its keys and values are made by
  // the parameters of this pass.
  at::Tensor attend(int64_t layer, const at::Tensor& state, const RowSegment& segment,
                    const at::Tensor& inputs, const at::Tensor& distances,
                    const ForwardMode& mode) const {
    const TransfoXlParameters::Layer& p = bound_.layers[layer];
    std::vector<at::Tensor> memories;
    for (const auto& part : segment.parts) {
      const int64_t count = std::min(config_.memory, part.before);
      if (count > 0) memories.push_back(inputs.narrow(0, part.token - count, count));
    }
    const at::Tensor own = project(state, layer);
    const at::Tensor kept = memories.empty() ? at::Tensor() : project(at::cat(memories), layer);
    const Dropout site = mode.dropout(config_.attention_dropout, xl_place(layer, kXlProbabilities));
    const at::Tensor keep = site.active() ? keep_factors(site, segment) : at::Tensor();
    std::vector<at::Tensor> contexts;
    int64_t first = 0, remembered = 0;
    for (const auto& part : segment.parts) {
      const int64_t count = std::min(config_.memory, part.before);
      at::Tensor qkv = own.narrow(0, first, part.count);
      const at::Tensor query = qkv.select(1, 0);
      if (count > 0) qkv = at::cat({kept.narrow(0, remembered, count), qkv});
      DistanceView view;
      view.zeros = config_.zero_memory ? config_.memory - count : 0;
      view.window = config_.same_length ? config_.memory : 0;
      const int64_t keys = view.zeros + count + part.count;
      contexts.push_back(distance_attention(
          query, qkv.select(1, 1), qkv.select(1, 2), distances, p.content_bias, p.distance_bias,
          view,
          keep.defined() ? keep.narrow(0, first, part.count).narrow(2, 0, keys) : at::Tensor()));
      first += part.count;
      remembered += count;
    }
    return at::cat(contexts);
  }

  // Factors of the probabilities of each query: (t, h, memory + segment).
  at::Tensor keep_factors(const Dropout& site, const RowSegment& segment) const {
    const int64_t keys = config_.memory + config_.segment;
    return dropout_factors(site, segment.rows, config_.heads * keys)
        .view({segment.rows.tokens(), config_.heads, keys});
  }

  // The adaptive softmax (Grave et al. 2017): -log p(cluster) - log p(id | cluster).
  at::Tensor losses_of(const at::Tensor& states, const at::Tensor& ids) const {
    const auto projected = [](const at::Tensor& x, const WordCluster& cluster) {
      return cluster.out_projection.defined() ? linear_in_out(x, cluster.out_projection) : x;
    };
    const WordCluster& head = bound_.clusters.front();
    const auto tails = static_cast<int64_t>(bound_.clusters.size()) - 1;
    if (tails == 0)
      return target_loss(projected(states, head), head.own_rows(), head.own_bias(), ids);
    at::Tensor entries = ids;
    for (int64_t tail = 1; tail <= tails; ++tail) {
      const WordCluster& cluster = bound_.clusters[tail];
      entries = at::where(ids.ge(cluster.first).logical_and(ids.lt(cluster.last)),
                          head.last + tail - 1, entries);
    }
    at::Tensor losses =
        target_loss(projected(states, head), at::cat({head.own_rows(), bound_.tail_weight}),
                    at::cat({head.own_bias(), bound_.tail_bias}), entries);
    for (int64_t tail = 1; tail <= tails; ++tail) {
      const WordCluster& cluster = bound_.clusters[tail];
      const at::Tensor chosen =
          ids.ge(cluster.first).logical_and(ids.lt(cluster.last)).nonzero().squeeze(1);
      if (chosen.size(0) == 0) continue;
      losses = losses.index_add(
          0, chosen,
          target_loss(projected(states.index_select(0, chosen), cluster), cluster.own_rows(),
                      cluster.own_bias(), ids.index_select(0, chosen) - cluster.first));
    }
    return losses;
  }

  const TransfoXlParameters bound_;
};

}  // namespace

TransfoXlParameters::TransfoXlParameters(const ModelConfig& config, const Parameters& parameters) {
  const auto norm = [&](const std::string& name) {
    return LayerNormParameters{parameters[name + ".weight"], parameters[name + ".bias"],
                               config.layer_norm_eps};
  };
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string attention = decoder_prefix(layer) + "dec_attn.";
    const std::string inner = decoder_prefix(layer) + "pos_ff.";
    layers.push_back({parameters[attention + "qkv_net.weight"],
                      parameters[attention + "r_net.weight"],
                      parameters[attention + "o_net.weight"], parameters[attention + "r_w_bias"],
                      parameters[attention + "r_r_bias"], parameters[inner + "CoreNet.0.weight"],
                      parameters[inner + "CoreNet.0.bias"], parameters[inner + "CoreNet.3.weight"],
                      parameters[inner + "CoreNet.3.bias"], norm(attention + "layer_norm"),
                      norm(inner + "layer_norm")});
  }
  const std::vector<int64_t> bounds = cluster_bounds(config);
  const bool divided = is_divided(config), projected = has_projections(config);
  for (size_t i = 0; i + 1 < bounds.size(); ++i) {
    const size_t own = divided ? i : 0;
    WordCluster cluster;
    cluster.first = bounds[i];
    cluster.last = bounds[i + 1];
    cluster.table = parameters[table_name(own)];
    cluster.bias = parameters[out_bias_name(own)];
    if (projected) {
      cluster.in_projection = parameters[in_projection_name(own)];
      cluster.out_projection =
          config.ties_projection(i) ? cluster.in_projection : parameters[out_projection_name(i)];
    }
    clusters.push_back(std::move(cluster));
  }
  if (clusters.size() == 1) return;
  tail_weight = parameters["crit.cluster_weight"];
  tail_bias = parameters["crit.cluster_bias"];
}

at::Tensor distance_signals(int64_t distances, const ModelConfig& config) {
  at::Tensor distance = at::arange(distances, at::kFloat);
  if (config.clamp_length >= 0)
    distance = distance.clamp_max(static_cast<double>(config.clamp_length));
  const at::Tensor even = at::arange(0, config.hidden, 2, at::kFloat);
  const at::Tensor frequency =
      at::pow(10000.0, even / static_cast<double>(config.hidden)).reciprocal();
  const at::Tensor angle = distance.unsqueeze(1) * frequency;
  return at::cat({angle.sin(), angle.cos()}, 1);
}

void declare_transfo_xl(const ModelSpec& spec, ParameterLayout& layout) {
  const ModelConfig& c = spec.config;
  const int64_t all_heads = c.heads * c.head_size;
  const std::vector<int64_t> bounds = cluster_bounds(c);
  const size_t clusters = bounds.size() - 1, tables = is_divided(c) ? clusters : 1;
  const auto rows = [&](size_t i) {
    return tables == 1 ? c.vocabulary : bounds[i + 1] - bounds[i];
  };
  for (size_t i = 0; i < tables; ++i) layout.add(table_name(i), {rows(i), cluster_width(c, i)});
  if (has_projections(c)) {
    for (size_t i = 0; i < tables; ++i)
      layout.add(in_projection_name(i), {c.hidden, cluster_width(c, i)});
  }
  for (int64_t layer = 0; layer < c.layers; ++layer) {
    const std::string attention = decoder_prefix(layer) + "dec_attn.";
    const std::string inner = decoder_prefix(layer) + "pos_ff.";
    layout.add(attention + "r_net.weight", {all_heads, c.hidden});
    layout.add(attention + "qkv_net.weight", {3 * all_heads, c.hidden});
    layout.add(attention + "r_w_bias", {c.heads, c.head_size});
    layout.add(attention + "r_r_bias", {c.heads, c.head_size});
    layout.add(attention + "o_net.weight", {c.hidden, all_heads});
    layout.add(attention + "layer_norm.weight", {c.hidden});
    layout.add(attention + "layer_norm.bias", {c.hidden});
    layout.add(inner + "CoreNet.0.weight", {c.intermediate, c.hidden});
    layout.add(inner + "CoreNet.0.bias", {c.intermediate});
    layout.add(inner + "CoreNet.3.weight", {c.hidden, c.intermediate});
    layout.add(inner + "CoreNet.3.bias", {c.hidden});
    layout.add(inner + "layer_norm.weight", {c.hidden});
    layout.add(inner + "layer_norm.bias", {c.hidden});
  }
  if (clusters > 1) {
    layout.add("crit.cluster_weight", {static_cast<int64_t>(clusters) - 1, c.embedding});
    layout.add("crit.cluster_bias", {static_cast<int64_t>(clusters) - 1});
  }
  if (has_projections(c)) {
    for (size_t i = 0; i < clusters; ++i) {
      if (c.ties_projection(i)) continue;
      layout.add(out_projection_name(i),
                 {c.hidden, is_divided(c) ? cluster_width(c, i) : c.embedding});
    }
  }
  for (size_t i = 0; i < tables; ++i) layout.add(out_bias_name(i), {rows(i)});
}

std::unique_ptr<Model> make_transfo_xl(const ModelConfig& config, Parameters parameters) {
  return std::make_unique<TransfoXl>(config, std::move(parameters));
}

at::Tensor transfo_xl_memory(const LanguageModel& model, const Batch& batch, int64_t row) {
  const auto* own = dynamic_cast<const TransfoXl*>(&model);
  if (!own) throw std::logic_error("transfo_xl_memory: another architecture");
  const at::NoGradGuard no_gradients;
  return own->memory(batch, row);
}

}  // namespace kdbench
