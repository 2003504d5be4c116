// SPDX-License-Identifier: MIT
// A teacher's outputs on one task's rows in HDF5 (layout: io/README.md).
#pragma once

#include <mpi.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/feature_store.h"

namespace kdbench {

// Outputs on rows of one split. When writing: this rank's rows, in any order (each row of the split
// on exactly one rank; they are stored in ascending row id).
class TeacherSplit {
 public:
  std::string name;
  std::string source_sha256;
  std::vector<int64_t> row_ids;
  std::vector<std::string> label_order;  // class names of the logits' columns; empty: regression
  int64_t classes = 0;
  std::vector<float> logits;        // (rows, classes)
  std::vector<int64_t> cls_layers;  // 1-based teacher layers stored in `cls`; may be empty
  int64_t hidden_size = 0;
  std::vector<float> cls;     // (rows, layers, hidden): [CLS] states
  std::vector<float> pooled;  // (rows, hidden) or empty

  int64_t rows() const { return static_cast<int64_t>(row_ids.size()); }
};

struct TeacherStoreInfo {
  std::string task;
  std::string checkpoint_sha256;  // of the teacher's weights
  std::string store_dtype =
      "float32";  // of cls and pooled: float32 | float16 | bfloat16; logits stay float32
};

struct TeacherStore {
  TeacherStoreInfo info;
  std::map<std::string, std::shared_ptr<const TeacherSplit>> splits;
};

inline constexpr int kTeacherStoreVersion = 1;

// Collective over `comm`; same rules as write_feature_store.
void write_teacher_store(const std::filesystem::path& path, MPI_Comm comm,
                         const TeacherStoreInfo& info, const std::vector<TeacherSplit>& slices);

// Local. Throws a user error when the file is cut, damaged or of another version.
// `layers` (a part of the stored ones, in any order): only their [CLS] states; absent: all.
TeacherStore read_teacher_store(const std::filesystem::path& path,
                                const std::optional<std::vector<int64_t>>& layers = std::nullopt);

// safetensors made elsewhere: `train_logits` (N, C) and optionally `train_cls` (N, layers, H), rows
// in the order of `features`, columns in `label_order`. Throws a user error when shapes do not fit.
std::shared_ptr<const TeacherSplit> read_teacher_tensors(
    const std::filesystem::path& path, const FeatureSplit& features,
    const std::vector<std::string>& label_order);

// `split` with [CLS] states of `layers` alone, in that order; `split` itself when it holds just
// those. A layer that it lacks is a user error.
std::shared_ptr<const TeacherSplit> with_cls_layers(std::shared_ptr<const TeacherSplit> split,
                                                    const std::vector<int64_t>& layers);

// Throws a user error with the reason (other source file, other checkpoint, row ids missing) unless
// `teacher` holds every row of `features`. `checkpoint_sha256` empty: not compared.
void check_teacher_matches(const TeacherStore& store, const TeacherSplit& teacher,
                           const FeatureSplit& features, const std::string& checkpoint_sha256);

}  // namespace kdbench
