// SPDX-License-Identifier: MIT
#include "io/batches/text_dataset.h"

#include <algorithm>

#include "io/stores/feature_store.h"

namespace kdbench {
namespace {

std::shared_ptr<const FeatureSplit> without_labels(const FeatureSplit& texts) {
  auto copy = std::make_shared<FeatureSplit>(texts);  // shares the rows' memory
  copy->label_names.clear();
  copy->labels = {};
  return copy;
}

class TextDataset : public Dataset {
 public:
  TextDataset(std::shared_ptr<const FeatureSplit> texts, bool conditioned)
      : texts_(without_labels(*texts)),
        rows_(make_dataset(texts_, {})),
        conditioned_(conditioned) {}

  int64_t rows() const override { return rows_->rows(); }
  int64_t row_id(int64_t index) const override { return rows_->row_id(index); }
  int64_t length(int64_t index) const override { return rows_->length(index); }
  std::span<const int32_t> tokens(int64_t index) const override { return rows_->tokens(index); }
  bool labelled() const override { return false; }
  int64_t targets(int64_t index) const override {
    return std::max<int64_t>(0, length(index) - first_target(index));
  }

  Batch batch(const std::vector<int64_t>& indices, int64_t global_rows) const override {
    Batch batch = rows_->batch(indices, global_rows);
    if (!conditioned_) return batch;
    at::Tensor first = at::empty({static_cast<int64_t>(indices.size())}, at::kLong);
    auto* out = first.mutable_data_ptr<int64_t>();
    for (const int64_t index : indices) *out++ = first_target(index);
    batch.dense[field::kFirstTarget] = first;
    return batch;
  }

 private:
  // Nothing stands before a text that would say its first id.
  int64_t first_target(int64_t index) const {
    return conditioned_ ? std::max<int64_t>(1, texts_->first_segment[index]) : 1;
  }

  std::shared_ptr<const FeatureSplit> texts_;
  std::unique_ptr<Dataset> rows_;
  bool conditioned_;
};

}  // namespace

std::unique_ptr<Dataset> make_text_dataset(std::shared_ptr<const FeatureSplit> texts,
                                           bool conditioned) {
  return std::make_unique<TextDataset>(std::move(texts), conditioned);
}

}  // namespace kdbench
