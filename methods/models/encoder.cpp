// SPDX-License-Identifier: MIT
#include "methods/models/encoder.h"

#include <utility>

#include "methods/ops/linear.h"

namespace kdbench {
namespace {

class Encoder : public Model {
 public:
  Encoder(const ModelConfig& config, Parameters parameters, EncoderFamily family)
      : Model(config, std::move(parameters)),
        family_(std::move(family)),
        body_(config_, parameters_, family_.second_type) {}

  Outputs forward(const Batch& batch, const ForwardMode& mode) override {
    const TokenRows rows = checked_rows(batch, "lower data.max_seq_length");
    const at::Tensor starts = rows.offsets.narrow(0, 0, rows.rows());
    const ReadTokens first{starts.to(rows.row.device()), first_tokens(rows)};
    Outputs outputs;
    const at::Tensor cls = body_.states(batch, rows, first, mode, outputs);
    classify(cls, first.rows, mode, outputs);
    return outputs;
  }

  double forward_flops(int64_t length) const override {
    const auto width = static_cast<double>(config_.hidden);
    return body_.flops(length, 1) + 2 * width * width + 2 * width * static_cast<double>(outputs());
  }

  std::string classifier() const override { return family_.classifier; }

 private:
  void classify(const at::Tensor& cls, const TokenRows& rows, const ForwardMode& mode,
                Outputs& outputs) const {
    const auto layer = [&](const std::string& name, const at::Tensor& x) {
      return kdbench::linear(x, parameters_[name + ".weight"], parameters_[name + ".bias"]);
    };
    const auto dropped = [&](const at::Tensor& state, uint32_t place) {
      return kdbench::dropout(state, mode.dropout(config_.classifier_dropout, place), rows);
    };
    const uint32_t last_place = first_head_place(config_), first_place = last_place + 1;
    const at::Tensor state = family_.drops_state ? dropped(cls, first_place) : cls;
    outputs.pooled = at::tanh(layer(family_.dense, state));
    outputs.logits = layer(family_.classifier, dropped(outputs.pooled, last_place));
  }

  const EncoderFamily family_;
  const EncoderBody body_;
};

}  // namespace

void declare_encoder(const ModelSpec& spec, const EncoderFamily& family, ParameterLayout& layout) {
  const ModelConfig& c = spec.config;
  declare_encoder_body(c, /*tied=*/false, layout);
  declare_dense(layout, family.dense, c.hidden, c.hidden);
  declare_dense(layout, family.classifier, spec.outputs, c.hidden);
}

std::unique_ptr<Model> make_encoder(const ModelConfig& config, Parameters parameters,
                                    const EncoderFamily& family) {
  return std::make_unique<Encoder>(config, std::move(parameters), family);
}

}  // namespace kdbench
