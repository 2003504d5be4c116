// SPDX-License-Identifier: MIT
// Rows are copied straight into the batch's tensors; what belongs to which row is looked up once.
// Nothing here grows with the rows, but for a teacher's rows in another order: those of a host have
// one copy of all else.
#include "io/batches/dataset.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <optional>
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

// What the model calls each of the split's label names; `parse` returns nothing for one that it
// does not know, which is an error for the first row that has it.
template <typename T, typename Parse>
std::vector<T> label_values(const FeatureSplit& features, const Parse& parse,
                            const std::function<void(size_t row)>& refuse) {
  std::vector<std::optional<T>> parsed;
  for (const auto& name : features.label_names) parsed.push_back(parse(name));
  if (std::find(parsed.begin(), parsed.end(), std::nullopt) != parsed.end()) {
    for (size_t row = 0; row < features.labels.size(); ++row) {
      if (!parsed[features.labels[row]]) refuse(row);
    }
  }
  std::vector<T> values;
  for (const auto& value : parsed) values.push_back(value.value_or(T()));
  return values;
}

std::vector<int64_t> label_codes(const FeatureSplit& features,
                                 const std::vector<std::string>& order) {
  const auto code = [&](const std::string& label) -> std::optional<int64_t> {
    const auto found = std::find(order.begin(), order.end(), label);
    return found == order.end() ? std::nullopt : std::optional(found - order.begin());
  };
  return label_values<int64_t>(features, code, [&](size_t row) {
    throw_user_error(place(features, row),
                     "label " + features.label(static_cast<int64_t>(row)) +
                         " is none of the model's: " + joined(order, ", "),
                     "the names in config.json's id2label must be those of the data");
  });
}

std::vector<float> label_scores(const FeatureSplit& features) {
  const auto parse = [](const std::string& text) -> std::optional<float> {
    float score = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), score);
    const bool number =
        problem == std::errc() && end == text.data() + text.size() && std::isfinite(score);
    return number ? std::optional(score) : std::nullopt;
  };
  return label_values<float>(features, parse, [&](size_t row) {
    throw_user_error(place(features, row), "label " + features.label(static_cast<int64_t>(row)) +
                                               " is no number, and the model predicts a score");
  });
}

// Row of the teacher for each row of the features; empty where the rows are the same.
std::vector<int64_t> teacher_rows(const FeatureSplit& features, const TeacherSplit& teacher) {
  const std::string where = "teacher outputs of split " + teacher.name;
  if (teacher.source_sha256 != features.source_sha256) {
    throw_user_error(where, "belong to another source file than split " + features.name,
                     "export them again");
  }
  if (teacher.row_ids == features.row_ids) return {};
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
    teacher_columns_ = teacher_columns(*teacher_, label_order);
    if (teacher_->hidden) check_lengths();
  }

  int64_t rows() const override { return features_->rows(); }
  int64_t row_id(int64_t index) const override { return features_->row_ids[index]; }
  int64_t length(int64_t index) const override {
    return features_->offsets[index + 1] - features_->offsets[index];
  }
  std::span<const int32_t> tokens(int64_t index) const override {
    return {features_->tokens.data() + features_->offsets[index],
            static_cast<size_t>(length(index))};
  }
  bool labelled() const override { return !features_->labels.empty(); }

  Batch batch(const std::vector<int64_t>& indices, int64_t global_rows) const override {
    Batch batch;
    batch.global_rows = global_rows;
    batch.row_ids = gather(features_->row_ids.data(), {}, indices);
    batch.ragged[field::kTokens] = gather_tokens(indices);
    batch.dense[field::kFirstSegment] =
        gather(features_->first_segment.data(), {}, indices).to(at::kLong);
    if (labelled())
      batch.labels = regression_ ? gather_labels(scores_, indices) : gather_labels(codes_, indices);
    if (teacher_) add_teacher(batch, rows_of_teacher(indices));
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

  // `values`: of each label name.
  template <typename T>
  at::Tensor gather_labels(const std::vector<T>& values,
                           const std::vector<int64_t>& indices) const {
    const at::Tensor labels =
        at::empty({static_cast<int64_t>(indices.size())}, c10::CppTypeToScalarType<T>::value);
    T* out = labels.mutable_data_ptr<T>();
    for (const int64_t index : indices) *out++ = values[features_->labels[index]];
    return labels;
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

  void add_teacher(Batch& batch, const std::vector<int64_t>& rows) const {
    batch.dense[field::kTeacherLogits] = gather_logits(rows);
    const auto layers = static_cast<int64_t>(teacher_->cls_layers.size());
    if (teacher_->cls_on_disk) {
      batch.dense[field::kTeacherCls] = teacher_->cls_on_disk(rows);
    } else if (layers > 0) {
      batch.dense[field::kTeacherCls] =
          gather(teacher_->cls.data(), {layers, teacher_->hidden_size}, rows);
    }
    if (teacher_->hidden) {
      batch.ragged[field::kTeacherHidden] = {teacher_->hidden->read(rows),
                                             batch.ragged[field::kTokens].offsets};
    }
  }

  // In the order of the model's labels.
  at::Tensor gather_logits(const std::vector<int64_t>& rows) const {
    const at::Tensor logits =
        at::empty({static_cast<int64_t>(rows.size()), teacher_->classes}, at::kFloat);
    float* out = logits.mutable_data_ptr<float>();
    for (const int64_t row : rows) {
      const float* from = teacher_->logits.data() + row * teacher_->classes;
      for (const int64_t column : teacher_columns_) *out++ = from[column];
    }
    return logits;
  }

  int64_t row_of_teacher(int64_t index) const {
    return teacher_rows_.empty() ? index : teacher_rows_[index];
  }

  std::vector<int64_t> rows_of_teacher(const std::vector<int64_t>& indices) const {
    std::vector<int64_t> rows;
    for (const int64_t index : indices) rows.push_back(row_of_teacher(index));
    return rows;
  }

  // States of tokens belong to the same tokens.
  void check_lengths() const {
    for (int64_t index = 0; index < rows(); ++index) {
      const int64_t states = teacher_->hidden->length(row_of_teacher(index));
      if (states == length(index)) continue;
      throw_user_error("teacher outputs of split " + teacher_->name,
                       "have hidden states of " + std::to_string(states) + " tokens for row id " +
                           std::to_string(row_id(index)) + ", which has " +
                           std::to_string(length(index)),
                       "teacher and student must read the same tokens; export them again");
    }
  }

  std::shared_ptr<const FeatureSplit> features_;
  bool regression_;
  std::shared_ptr<const TeacherSplit> teacher_;  // may be null
  std::vector<int64_t> codes_;                   // of each label name, for classes
  std::vector<float> scores_;                    // or for scores
  std::vector<int64_t> teacher_rows_;            // of each row; empty: the same
  std::vector<int64_t> teacher_columns_;         // of its logits, for each label of the model
};

}  // namespace

std::unique_ptr<Dataset> make_dataset(std::shared_ptr<const FeatureSplit> features,
                                      const std::vector<std::string>& label_order,
                                      std::shared_ptr<const TeacherSplit> teacher) {
  return std::make_unique<FeatureDataset>(std::move(features), label_order, std::move(teacher));
}

}  // namespace kdbench
