// SPDX-License-Identifier: MIT
// Rows are copied straight into the batch's tensors; which teacher row belongs to which row is
// looked up once.
#include "io/batches/dataset.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <unordered_map>

#include "io/base/error.h"
#include "io/base/text.h"
#include "io/stores/feature_store.h"
#include "io/stores/teacher_store.h"

namespace kdbench {
namespace {

std::string place(const FeatureSplit& features, size_t row) {
  return "split " + features.name + ", row id " + std::to_string(features.row_ids[row]);
}

std::vector<int64_t> label_codes(const FeatureSplit& features,
                                 const std::vector<std::string>& order) {
  std::unordered_map<std::string, int64_t> code;
  for (const auto& label : order) code.emplace(label, static_cast<int64_t>(code.size()));
  std::vector<int64_t> codes;
  codes.reserve(features.labels.size());
  for (size_t i = 0; i < features.labels.size(); ++i) {
    const auto found = code.find(features.labels[i]);
    if (found == code.end()) {
      throw_user_error(
          place(features, i),
          "label " + features.labels[i] + " is none of the model's: " + joined(order, ", "),
          "the names in config.json's id2label must be those of the data");
    }
    codes.push_back(found->second);
  }
  return codes;
}

std::vector<float> label_scores(const FeatureSplit& features) {
  std::vector<float> scores;
  scores.reserve(features.labels.size());
  for (size_t i = 0; i < features.labels.size(); ++i) {
    const std::string& text = features.labels[i];
    float score = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), score);
    if (problem != std::errc() || end != text.data() + text.size() || !std::isfinite(score)) {
      throw_user_error(place(features, i),
                       "label " + text + " is no number, and the model predicts a score");
    }
    scores.push_back(score);
  }
  return scores;
}

// Row of the teacher for each row of the features.
std::vector<int64_t> teacher_rows(const FeatureSplit& features, const TeacherSplit& teacher) {
  const std::string where = "teacher outputs of split " + teacher.name;
  if (teacher.source_sha256 != features.source_sha256) {
    throw_user_error(where, "belong to another source file than split " + features.name,
                     "export them again");
  }
  std::unordered_map<int64_t, int64_t> row_of;
  for (int64_t i = 0; i < teacher.rows(); ++i) row_of.emplace(teacher.row_ids[i], i);
  std::vector<int64_t> rows;
  rows.reserve(features.row_ids.size());
  for (const int64_t id : features.row_ids) {
    const auto found = row_of.find(id);
    if (found == row_of.end())
      throw_user_error(where, "lack row id " + std::to_string(id), "export them again");
    rows.push_back(found->second);
  }
  return rows;
}

// Column of the teacher's logits for each label of the model.
std::vector<int64_t> teacher_columns(const TeacherSplit& teacher,
                                     const std::vector<std::string>& order) {
  const bool same_labels = order.empty() ? teacher.label_order.empty() && teacher.classes == 1
                                         : teacher.label_order.size() == order.size() &&
                                               std::is_permutation(order.begin(), order.end(),
                                                                   teacher.label_order.begin());
  if (!same_labels) {
    throw_user_error("teacher outputs of split " + teacher.name,
                     "have the labels [" + joined(teacher.label_order, ", ") +
                         "], the model has [" + joined(order, ", ") + "]");
  }
  if (order.empty()) return {0};
  std::vector<int64_t> columns;
  for (const auto& label : order) {
    const auto& names = teacher.label_order;
    columns.push_back(std::find(names.begin(), names.end(), label) - names.begin());
  }
  return columns;
}

class FeatureDataset : public Dataset {
 public:
  FeatureDataset(std::shared_ptr<const FeatureSplit> features,
                 const std::vector<std::string>& label_order,
                 std::shared_ptr<const TeacherSplit> teacher)
      : features_(std::move(features)),
        regression_(label_order.empty()),
        teacher_(std::move(teacher)) {
    if (regression_)
      scores_ = label_scores(*features_);
    else
      codes_ = label_codes(*features_, label_order);
    if (!teacher_) return;
    teacher_rows_ = teacher_rows(*features_, *teacher_);
    take_logits(teacher_columns(*teacher_, label_order));
    if (teacher_->hidden) check_lengths();
  }

  int64_t rows() const override { return features_->rows(); }
  int64_t row_id(int64_t index) const override { return features_->row_ids[index]; }
  int64_t length(int64_t index) const override {
    return features_->offsets[index + 1] - features_->offsets[index];
  }
  bool labelled() const override { return !features_->labels.empty(); }

  Batch batch(const std::vector<int64_t>& indices, int64_t global_rows) const override {
    Batch batch;
    batch.global_rows = global_rows;
    batch.row_ids = gather(features_->row_ids.data(), {}, indices);
    batch.ragged[field::kTokens] = gather_tokens(indices);
    batch.dense[field::kFirstSegment] =
        gather(features_->first_segment.data(), {}, indices).to(at::kLong);
    if (labelled()) {
      batch.labels =
          regression_ ? gather(scores_.data(), {}, indices) : gather(codes_.data(), {}, indices);
    }
    if (!teacher_) return batch;
    batch.dense[field::kTeacherLogits] = gather(logits_.data(), {teacher_->classes}, indices);
    if (!teacher_->cls_layers.empty()) batch.dense[field::kTeacherCls] = gather_cls(indices);
    if (teacher_->hidden) {
      batch.ragged[field::kTeacherHidden] = {teacher_->hidden->read(rows_of_teacher(indices)),
                                             batch.ragged[field::kTokens].offsets};
    }
    return batch;
  }

 private:
  // (rows, ...row_shape): the rows `indices` of an array.
  template <typename T>
  static at::Tensor gather(const T* values, std::vector<int64_t> row_shape,
                           const std::vector<int64_t>& indices) {
    const int64_t width = c10::multiply_integers(row_shape);
    row_shape.insert(row_shape.begin(), static_cast<int64_t>(indices.size()));
    at::Tensor rows = at::empty(row_shape, c10::CppTypeToScalarType<T>::value);
    T* out = rows.mutable_data_ptr<T>();
    for (const int64_t index : indices) out = std::copy_n(values + index * width, width, out);
    return rows;
  }

  Ragged gather_tokens(const std::vector<int64_t>& indices) const {
    const at::Tensor offsets = at::empty({static_cast<int64_t>(indices.size()) + 1}, at::kLong);
    int64_t* ends = offsets.mutable_data_ptr<int64_t>();
    *ends = 0;
    for (const int64_t index : indices) {
      ends[1] = ends[0] + length(index);
      ++ends;
    }
    const at::Tensor values = at::empty({*ends}, at::kLong);
    int64_t* out = values.mutable_data_ptr<int64_t>();
    for (const int64_t index : indices) {
      out = std::copy_n(features_->tokens.data() + features_->offsets[index], length(index), out);
    }
    return {values, offsets};
  }

  at::Tensor gather_cls(const std::vector<int64_t>& indices) const {
    const auto layers = static_cast<int64_t>(teacher_->cls_layers.size());
    return gather(teacher_->cls.data(), {layers, teacher_->hidden_size}, rows_of_teacher(indices));
  }

  std::vector<int64_t> rows_of_teacher(const std::vector<int64_t>& indices) const {
    std::vector<int64_t> rows;
    for (const int64_t index : indices) rows.push_back(teacher_rows_[index]);
    return rows;
  }

  // States of tokens belong to the same tokens.
  void check_lengths() const {
    for (int64_t index = 0; index < rows(); ++index) {
      const int64_t states = teacher_->hidden->length(teacher_rows_[index]);
      if (states == length(index)) continue;
      throw_user_error("teacher outputs of split " + teacher_->name,
                       "have hidden states of " + std::to_string(states) + " tokens for row id " +
                           std::to_string(row_id(index)) + ", which has " +
                           std::to_string(length(index)),
                       "teacher and student must read the same tokens; export them again");
    }
  }

  // Logits are small: brought into the order of the rows and of the model's labels once.
  void take_logits(const std::vector<int64_t>& columns) {
    for (const int64_t row : teacher_rows_) {
      for (const int64_t column : columns)
        logits_.push_back(teacher_->logits[row * teacher_->classes + column]);
    }
  }

  std::shared_ptr<const FeatureSplit> features_;
  bool regression_;
  std::shared_ptr<const TeacherSplit> teacher_;  // may be null
  std::vector<int64_t> codes_;
  std::vector<float> scores_;
  std::vector<int64_t> teacher_rows_;
  std::vector<float> logits_;  // (rows, classes)
};

}  // namespace

std::unique_ptr<Dataset> make_dataset(std::shared_ptr<const FeatureSplit> features,
                                      const std::vector<std::string>& label_order,
                                      std::shared_ptr<const TeacherSplit> teacher) {
  return std::make_unique<FeatureDataset>(std::move(features), label_order, std::move(teacher));
}

}  // namespace kdbench
