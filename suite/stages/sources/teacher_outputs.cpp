// SPDX-License-Identifier: MIT
#include "suite/stages/sources/teacher_outputs.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "io/batches/dataset.h"
#include "io/stores/teacher_store_writer.h"
#include "methods/models/layer_states.h"
#include "suite/machine/machine.h"
#include "suite/training/evaluation.h"
#include "suite/training/finite.h"

namespace kdbench {
namespace {

// One split's outputs: this rank's share of them.
class OutputPass {
 public:
  OutputPass(Model& model, std::shared_ptr<const FeatureSplit> features,
             const OutputRequest& request, const std::string& title, const Workspace& workspace)
      : model_(model),
        features_(std::move(features)),
        request_(request),
        control_(workspace.control),
        progress_(title, features_->rows(), control_.size(), *workspace.log, control_.root()) {
    split_.name = features_->name;
    split_.source_sha256 = features_->source_sha256;
    split_.label_order = model.config().labels;
    split_.classes = model.outputs();
    split_.cls_layers = request.cls_layers;
    split_.hidden_size = model.config().hidden;
    mode_.cls_states = !request.cls_layers.empty();
    mode_.hidden_layers = request.hidden_layers;
    by_id_.resize(static_cast<size_t>(features_->rows()));
    std::iota(by_id_.begin(), by_id_.end(), 0);
    const auto& ids = features_->row_ids;
    std::sort(by_id_.begin(), by_id_.end(), [&](int64_t a, int64_t b) { return ids[a] < ids[b]; });
  }

  // Collective.
  const TeacherSlice& run(TeacherStoreWriter& writer) {
    control_.agree([&] { data_ = make_dataset(features_, model_.config().labels); });
    if (mode_.hidden_layers.empty()) {
      control_.agree([&] { forward(by_id_); });
      return split_;
    }
    HiddenWriter& hidden = writer.hidden(features_->name, hidden_layout());
    for (auto [begin, end] = hidden.window(); begin < end; std::tie(begin, end) = hidden.window()) {
      places_.clear();
      states_.clear();
      const std::vector<int64_t> rows(by_id_.begin() + begin, by_id_.begin() + end);
      control_.agree([&] { forward(rows); });
      hidden.write(places_, states_);
    }
    return split_;
  }

  static TeacherSplitSize size_of(const Model& model, const FeatureSplit& features,
                                  const OutputRequest& request) {
    return {.rows = features.rows(),
            .tokens = features.offsets.back(),
            .classes = model.outputs(),
            .hidden_size = model.config().hidden,
            .cls_layers = static_cast<int64_t>(request.cls_layers.size()),
            .hidden_layers = static_cast<int64_t>(request.hidden_layers.size()),
            .pooled = request.pooled};
  }

 private:
  HiddenLayout hidden_layout() const {
    HiddenLayout layout{request_.hidden_layers, model_.config().hidden, {0}};
    for (const int64_t row : by_id_) {
      layout.offsets.push_back(layout.offsets.back() + data_->length(row));
    }
    return layout;
  }

  // The rank's share of `rows` (indices into the data).
  void forward(const std::vector<int64_t>& rows) {
    forward_share(model_, *data_, rows, control_, mode_,
                  [&](const Batch& batch, const Outputs& outputs) { take(batch, outputs); });
  }

  void take(const Batch& batch, const Outputs& outputs) {
    check_finite(outputs);
    progress_.seen(batch.rows());
    const int64_t* ids = batch.row_ids.const_data_ptr<int64_t>();
    split_.row_ids.insert(split_.row_ids.end(), ids, ids + batch.rows());
    append_values(split_.logits, outputs.logits);
    if (request_.pooled) append_values(split_.pooled, outputs.pooled);
    if (mode_.cls_states) append_values(split_.cls, cls_of_layers(outputs, request_.cls_layers));
    if (mode_.hidden_layers.empty()) return;
    for (int64_t i = 0; i < batch.rows(); ++i) places_.push_back(place_of(ids[i]));
    append_values(states_, hidden_of_layers(outputs, request_.hidden_layers));
  }

  void check_finite(const Outputs& outputs) const {
    std::vector<at::Tensor> taken{outputs.logits, outputs.pooled};
    if (mode_.cls_states) taken.push_back(outputs.cls);
    for (const int64_t layer : request_.hidden_layers) taken.push_back(outputs.hidden[layer]);
    for (const auto& values : taken) {
      if (at::isfinite(values).all().item<bool>()) continue;
      throw not_finite("the teacher's outputs on " + split_.name, "logits or states are");
    }
  }

  // Among the ascending row ids.
  int64_t place_of(int64_t id) const {
    return std::lower_bound(
               by_id_.begin(), by_id_.end(), id,
               [&](int64_t row, int64_t wanted) { return features_->row_ids[row] < wanted; }) -
           by_id_.begin();
  }

  Model& model_;
  std::shared_ptr<const FeatureSplit> features_;
  const OutputRequest& request_;
  const Control& control_;
  PassProgress progress_;
  ForwardMode mode_;
  std::unique_ptr<Dataset> data_;
  std::vector<int64_t> by_id_;  // rows in ascending row id
  TeacherSlice split_;
  // Of the window at hand.
  std::vector<int64_t> places_;
  std::vector<float> states_;
};

}  // namespace

void write_teacher_outputs(const TrainedModel& model, const Features& features,
                           const OutputRequest& request, const std::filesystem::path& file,
                           const Workspace& workspace) {
  TeacherStoreInfo info;
  info.task = model.task->name;
  info.checkpoint_sha256 = model.sha256;
  info.store_dtype = request.store_dtype;
  info.tokenizer_sha256 = features.store.info.tokenizer_sha256;
  info.max_seq_length = features.store.info.max_seq_length;
  int64_t bytes = 0;
  workspace.control.agree([&] {
    for (const auto& name : request.splits) {
      bytes += stored_bytes(OutputPass::size_of(*model.model, *features.store.split(name), request),
                            request.store_dtype);
    }
  });
  write_teacher_store(file, workspace.control.comm(), info, bytes, [&](TeacherStoreWriter& writer) {
    for (const auto& name : request.splits) {
      const std::string title = fmt::format("{} outputs on {}", model.task->name, name);
      OutputPass pass(*model.model, features.store.split(name), request, title, workspace);
      writer.add(pass.run(writer));
    }
  });
}

TeacherPart teacher_part(const TeacherNeeds& needs, const std::string& split,
                         const Control& control) {
  TeacherPart part;
  part.cls = needs.cls_layers;
  part.hidden = needs.hidden_layers;
  part.split = split;
  part.pooled = false;
  part.cls_bytes = available_memory_bytes() / 2 / control.host().copies();
  return part;
}

}  // namespace kdbench
