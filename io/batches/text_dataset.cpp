// SPDX-License-Identifier: MIT
#include "io/batches/text_dataset.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "io/stores/feature_store.h"

namespace kdbench {
namespace {

std::shared_ptr<const FeatureSplit> without_labels(const FeatureSplit& texts) {
  auto copy = std::make_shared<FeatureSplit>(texts);  // shares the rows' memory
  copy->label_names.clear();
  copy->labels = {};
  return copy;
}

// The store's rows without labels.
class Texts : public Dataset {
 public:
  explicit Texts(const FeatureSplit& texts)
      : texts_(without_labels(texts)), rows_(make_dataset(texts_, {})) {}

  int64_t rows() const override { return rows_->rows(); }
  int64_t row_id(int64_t index) const override { return rows_->row_id(index); }
  int64_t length(int64_t index) const override { return rows_->length(index); }
  std::span<const int32_t> tokens(int64_t index) const override { return rows_->tokens(index); }
  bool labelled() const override { return false; }
  Batch batch(const std::vector<int64_t>& indices, int64_t global_rows) const override {
    return rows_->batch(indices, global_rows);
  }

 protected:
  int64_t first_segment(int64_t index) const { return texts_->first_segment[index]; }

 private:
  std::shared_ptr<const FeatureSplit> texts_;
  std::unique_ptr<Dataset> rows_;
};

class TextDataset : public Texts {
 public:
  TextDataset(const FeatureSplit& texts, bool conditioned)
      : Texts(texts), conditioned_(conditioned) {}

  int64_t targets(int64_t index) const override {
    return std::max<int64_t>(0, length(index) - first_target(index));
  }

  Batch batch(const std::vector<int64_t>& indices, int64_t global_rows) const override {
    Batch batch = Texts::batch(indices, global_rows);
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
    return conditioned_ ? std::max<int64_t>(1, first_segment(index)) : 1;
  }

  bool conditioned_;
};

class MaskedDataset : public Texts {
 public:
  MaskedDataset(const FeatureSplit& texts, MaskMarks marks)
      : Texts(texts), marks_(std::move(marks)) {}

  int64_t targets(int64_t index) const override {
    const auto ids = tokens(index);
    return masked_count(std::count_if(ids.begin(), ids.end(),
                                      [this](int32_t id) { return !marks_.is_special(id); }));
  }

 private:
  MaskMarks marks_;
};

}  // namespace

std::unique_ptr<Dataset> make_text_dataset(std::shared_ptr<const FeatureSplit> texts,
                                           bool conditioned) {
  return std::make_unique<TextDataset>(*texts, conditioned);
}

std::unique_ptr<Dataset> make_masked_dataset(std::shared_ptr<const FeatureSplit> texts,
                                             const MaskMarks& marks) {
  return std::make_unique<MaskedDataset>(*texts, marks);
}

int64_t masked_count(int64_t maskable) {
  if (maskable == 0) return 0;
  return std::max<int64_t>(1, std::llround(kMaskedShare * static_cast<double>(maskable)));
}

}  // namespace kdbench
