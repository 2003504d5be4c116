// SPDX-License-Identifier: MIT
// Tokenised rows of one task in HDF5 (layout: io/README.md). Written collectively, read whole; in
// memory once per host.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/base/host_array.h"
#include "io/tokenizers/tokenizer.h"

namespace kdbench {

// Rows of one split, flat, as they are made: this rank's consecutive rows, in rank order.
struct FeatureSlice {
  std::string name;                    // "train", "dev_matched", ...
  std::string source_sha256;           // of the file that the rows come from
  std::vector<int32_t> tokens;         // ids of all rows, no padding
  std::vector<int64_t> offsets{0};     // rows + 1
  std::vector<int32_t> first_segment;  // ids of the first text, per row
  std::vector<int64_t> row_ids;        // 0-based data line of the source file
  std::vector<std::string> labels;     // label strings; empty when the split is unlabelled
  int64_t left_out = 0;  // rows of the whole file that are not taken: cells are missing

  int64_t rows() const { return static_cast<int64_t>(row_ids.size()); }
};

// All rows of one split, as they are read.
class FeatureSplit {
 public:
  FeatureSplit() = default;
  explicit FeatureSplit(FeatureSlice all);  // all rows of a split, on this rank

  std::string name, source_sha256;
  HostArray<int32_t> tokens;
  HostArray<int64_t> offsets = std::vector<int64_t>{0};
  HostArray<int32_t> first_segment;
  HostArray<int64_t> row_ids;
  std::vector<std::string> label_names;  // distinct, sorted
  HostArray<int32_t> labels;             // index into label_names, per row; empty when unlabelled
  int64_t left_out = 0;

  int64_t rows() const { return static_cast<int64_t>(row_ids.size()); }
  const std::string& label(int64_t row) const { return label_names[labels[row]]; }
};

struct FeatureStoreInfo {
  std::string task;
  std::string tokenizer_sha256;
  int64_t max_seq_length = 0;
  int64_t train_limit = 0;
  int second_segment_type = 1;  // token type of the ids after first_segment
  RowLayout layout = RowLayout::kJoined;
};

struct FeatureStore {
  FeatureStoreInfo info;
  std::map<std::string, std::shared_ptr<const FeatureSplit>> splits;

  // Throws a user error naming the splits there are.
  std::shared_ptr<const FeatureSplit> split(const std::string& name) const;
};

// Of the split's arrays in the file, and in the memory of a host.
int64_t stored_bytes(const FeatureSplit& split);

inline constexpr int kFeatureStoreVersion = 1;

// Collective over `comm`: every rank passes its slices of the same splits in the same order (slices
// may be empty). Writes `path`.partial and renames it when it is complete and flushed.
void write_feature_store(const std::filesystem::path& path, MPI_Comm comm,
                         const FeatureStoreInfo& info, const std::vector<FeatureSlice>& slices);

// Reads without MPI-IO and without file locks, verifying checksums. Throws a user error when the
// file is cut, damaged, or of another format version. Collective over `host`, whose ranks get one
// copy, and all its errors; local where that is one rank.
FeatureStore read_feature_store(const std::filesystem::path& path, const HostRanks& host = {});

}  // namespace kdbench
