// SPDX-License-Identifier: MIT
// The rows of one split in memory, cut into batches on demand. The trainer sees only this.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/batches/batch.h"

namespace kdbench {

class FeatureSplit;
class TeacherSplit;

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t rows() const = 0;
  virtual int64_t row_id(int64_t index) const = 0;
  // Work of a row, for balancing shares: its number of tokens.
  virtual int64_t length(int64_t index) const = 0;
  // Its token ids; none where rows are no text.
  virtual std::span<const int32_t> tokens(int64_t index) const = 0;
  virtual bool labelled() const = 0;
  // What a model is to say of a row: one thing, or each id that follows another.
  virtual int64_t targets(int64_t) const { return 1; }
  // The same rows as a teacher reads them that learns too; itself where both read the same.
  virtual const Dataset& of_teacher() const { return *this; }
  // The rows `indices` (any order, may be empty: then a batch of 0 rows with all its fields).
  virtual Batch batch(const std::vector<int64_t>& indices, int64_t global_rows) const = 0;
  // Adds what is not read but computed of a batch of this data set: the outputs of a teacher that
  // runs beside the student. The batch lies where the models do.
  virtual void add_outputs(Batch&) const {}
};

// Rows of a feature store, labels mapped to `label_order` (empty: regression), with the teacher's
// outputs where `teacher` is not null (its logits are permuted from its own label order). Throws a
// user error when a label of the store is not in `label_order`, or when the teacher's rows do not
// match.
std::unique_ptr<Dataset> make_dataset(std::shared_ptr<const FeatureSplit> features,
                                      const std::vector<std::string>& label_order,
                                      std::shared_ptr<const TeacherSplit> teacher = nullptr);

}  // namespace kdbench
