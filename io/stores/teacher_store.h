// SPDX-License-Identifier: MIT
// A teacher's outputs on one task's rows in HDF5 (layout: io/README.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/base/host_array.h"
#include "io/stores/feature_store.h"
#include "io/stores/hidden_states.h"

namespace kdbench {

// Outputs on rows of one split, as they are made: this rank's rows, in any order (each row of the
// split on exactly one rank; they are stored in ascending row id). Hidden states of tokens are
// written apart (teacher_store_writer.h).
struct TeacherSlice {
  std::string name;
  std::string source_sha256;
  std::vector<int64_t> row_ids;
  std::vector<std::string> label_order;  // class names of the logits' columns; empty: regression
  int64_t classes = 0;
  std::vector<float> logits;        // (rows, classes)
  std::vector<int64_t> cls_layers;  // 1-based teacher layers in `cls`; may be empty
  int64_t hidden_size = 0;
  std::vector<float> cls;     // (rows, layers, hidden): [CLS] states
  std::vector<float> pooled;  // (rows, hidden) or empty

  int64_t rows() const { return static_cast<int64_t>(row_ids.size()); }
};

// The same of all rows of a split, as they are read.
class TeacherSplit {
 public:
  TeacherSplit() = default;
  explicit TeacherSplit(TeacherSlice all);  // all rows of a split, on this rank

  std::string name, source_sha256;
  HostArray<int64_t> row_ids;
  std::vector<std::string> label_order;
  int64_t classes = 0;
  HostArray<float> logits;
  std::vector<int64_t> cls_layers;
  int64_t hidden_size = 0;
  HostArray<float> cls;  // empty where they stay on the disk:
  // The [CLS] states (rows.size(), layers, hidden) of these rows, read from the file. Null where
  // `cls` has them. Local, errors as in HiddenStates::read.
  std::function<at::Tensor(const std::vector<int64_t>& rows)> cls_on_disk;
  HostArray<float> pooled;
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

// What is read of a store; by default all that it has, into memory.
struct TeacherPart {
  // Layers (some of the stored ones, in any order) whose states are read; absent: all. One that is
  // not there is a user error.
  std::optional<std::vector<int64_t>> cls = std::nullopt, hidden = std::nullopt;
  std::optional<std::string> split = std::nullopt;  // this one alone, if it is there
  bool pooled = true;
  // [CLS] states of a split that take more bytes stay on the disk: batches read their own rows.
  int64_t cls_bytes = std::numeric_limits<int64_t>::max();
};

struct TeacherStore {
  TeacherStoreInfo info;
  std::map<std::string, std::shared_ptr<const TeacherSplit>> splits;
};

inline constexpr const char* kTeacherStoreFormat = "kdbench teacher store";
inline constexpr int kTeacherStoreVersion = 2;

// Throws a user error when the file is cut, damaged or of another version. What stays on the disk
// stays in the file, which is open as long as a split holds it. Collective over `host`, whose ranks
// get one copy, and all its errors; local where that is one rank.
TeacherStore read_teacher_store(const std::filesystem::path& path, const TeacherPart& part = {},
                                const HostRanks& host = {});

// safetensors made elsewhere: `train_logits` (N, C) and optionally `train_cls` (N, layers, H), rows
// in the order of `features`, columns in `label_order`. Throws a user error when shapes do not fit.
// `part.split` is not looked at. Collective over `host`, as read_teacher_store.
std::shared_ptr<const TeacherSplit> read_teacher_tensors(
    const std::filesystem::path& path, const FeatureSplit& features,
    const std::vector<std::string>& label_order, const TeacherPart& part = {},
    const HostRanks& host = {});

// Throws a user error with the reason (other source file, other checkpoint, row ids missing) unless
// `teacher` holds every row of `features`. `checkpoint_sha256` empty: not compared.
void check_teacher_matches(const TeacherStore& store, const TeacherSplit& teacher,
                           const FeatureSplit& features, const std::string& checkpoint_sha256);

// Throws a user error with the reason unless the store's hidden states are of the tokens of
// `features`: only rows cut by the same tokenizer have the same ones.
void check_hidden_matches(const TeacherStoreInfo& store, const FeatureStoreInfo& features);

}  // namespace kdbench
