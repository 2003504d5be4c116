// SPDX-License-Identifier: MIT
// A share of a global batch: rows with named fields. Nothing is padded: a field whose rows differ
// in length is ragged (all values in one flat tensor, and offsets).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <map>
#include <string>

namespace kdbench {

struct Ragged {
  at::Tensor values;   // (total, ...)
  at::Tensor offsets;  // (rows + 1) int64, always on the CPU
};

// Names of fields. A dataset fills what its source has; a model or method takes what it needs.
namespace field {
inline constexpr const char* kTokens = "tokens";  // ragged int64: ids with special tokens
inline constexpr const char* kFirstSegment =
    "first_segment";  // dense (rows) int64, CPU: ids of the first text
// Dense (rows) int64, CPU, of a language model's rows: index of the first token that counts as a
// target. Without it that is 1.
inline constexpr const char* kFirstTarget = "first_target";
// Ragged int64, of a masked language model's rows: the id that is to be told in each token's place;
// -1: none.
inline constexpr const char* kTargets = "targets";
// Tokens and first segment of a teacher beside the student, which may read the rows in another way.
inline constexpr const char* kTeacherTokens = "teacher_tokens";
inline constexpr const char* kTeacherFirstSegment = "teacher_first_segment";
inline constexpr const char* kTeacherLogits =
    "teacher_logits";  // dense (rows, C) float32, student's label order
inline constexpr const char* kTeacherCls = "teacher_cls";  // dense (rows, layers, H) float32
inline constexpr const char* kTeacherHidden =
    "teacher_hidden";  // ragged (tokens, layers, H) float32: states of the student's own tokens
}  // namespace field

struct Batch {
  // Rows of the whole global batch: the denominator of every mean, so that shares of ranks and of
  // micro-batches add up to the global mean.
  int64_t global_rows = 0;
  // The same where a loss is a mean over all that is to be said: ids of a text, of which a row has
  // many. Known in training alone.
  int64_t global_targets = 0;
  at::Tensor row_ids;  // (rows) int64, CPU
  at::Tensor labels;   // (rows) int64 classes or float32 scores; undefined when unlabelled
  std::map<std::string, Ragged> ragged;
  std::map<std::string, at::Tensor> dense;

  int64_t rows() const { return row_ids.size(0); }
  // The field, or an error that names it (a programmer's mistake: the method did not declare what
  // it needs).
  const Ragged& ragged_field(const std::string& name) const;
  const at::Tensor& dense_field(const std::string& name) const;
  // As the teacher reads it: with its own tokens, where it has any.
  Batch of_teacher() const;
  // Device fields move; row_ids and offsets stay on the CPU.
  Batch to(at::Device device) const;
};

}  // namespace kdbench
