// SPDX-License-Identifier: MIT
// A teacher's outputs on one task's rows in HDF5 (layout: io/README.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/stores/feature_store.h"
#include "io/stores/hidden_states.h"

namespace kdbench {

// Outputs on rows of one split. When writing: this rank's rows, in any order (each row of the split
// on exactly one rank; they are stored in ascending row id), without `hidden`.
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
  std::vector<float> cls;                      // (rows, layers, hidden): [CLS] states
  std::vector<float> pooled;                   // (rows, hidden) or empty
  std::shared_ptr<const HiddenStates> hidden;  // of every token, on the disk; null when not stored

  int64_t rows() const { return static_cast<int64_t>(row_ids.size()); }
};

struct TeacherStoreInfo {
  std::string task;
  std::string checkpoint_sha256;  // of the teacher's weights
  std::string store_dtype =
      "float32";  // of all states: float32 | float16 | bfloat16; logits stay float32
  // Of the feature store whose tokens the hidden states belong to.
  std::string tokenizer_sha256 = "";
  int64_t max_seq_length = 0;
};

// Layers (parts of the stored ones, in any order) whose states are read; absent: all.
struct TeacherLayers {
  std::optional<std::vector<int64_t>> cls = std::nullopt, hidden = std::nullopt;
};

struct TeacherStore {
  TeacherStoreInfo info;
  std::map<std::string, std::shared_ptr<const TeacherSplit>> splits;
};

inline constexpr const char* kTeacherStoreFormat = "kdbench teacher store";
inline constexpr int kTeacherStoreVersion = 2;

// Local. Throws a user error when the file is cut, damaged or of another version. Hidden states
// stay in the file, which is open as long as a split holds them.
TeacherStore read_teacher_store(const std::filesystem::path& path,
                                const TeacherLayers& layers = {});

// safetensors made elsewhere: `train_logits` (N, C) and optionally `train_cls` (N, layers, H), rows
// in the order of `features`, columns in `label_order`. Throws a user error when shapes do not fit.
std::shared_ptr<const TeacherSplit> read_teacher_tensors(
    const std::filesystem::path& path, const FeatureSplit& features,
    const std::vector<std::string>& label_order);

// `split` with the states of these layers alone, in that order; `split` itself when it holds just
// those. A layer that it lacks is a user error.
std::shared_ptr<const TeacherSplit> with_layers(std::shared_ptr<const TeacherSplit> split,
                                                const std::vector<int64_t>& cls_layers,
                                                const std::vector<int64_t>& hidden_layers);

// Throws a user error with the reason (other source file, other checkpoint, row ids missing) unless
// `teacher` holds every row of `features`. `checkpoint_sha256` empty: not compared.
void check_teacher_matches(const TeacherStore& store, const TeacherSplit& teacher,
                           const FeatureSplit& features, const std::string& checkpoint_sha256);

// Throws a user error with the reason unless the store's hidden states are of the tokens of
// `features`: only rows cut by the same tokenizer have the same ones.
void check_hidden_matches(const TeacherStoreInfo& store, const FeatureStoreInfo& features);

}  // namespace kdbench
