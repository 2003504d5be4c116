// SPDX-License-Identifier: MIT
// A teacher's states of chosen layers, of every token or of [CLS] alone, read from the disk as
// batches ask for them: the file stays open, and no more than a batch is ever in memory. What is
// read often stays in the system's page cache.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "io/hdf5/hdf5.h"

namespace kdbench {

class HiddenStates {
 public:
  // Of the open group `split` of `file`, which has `rows` rows of states `hidden_size` wide. Rows
  // have a state for each of their tokens, or one, that of [CLS]. Throws a user error when the
  // arrays do not fit together.
  enum class Of { kTokens, kCls };
  HiddenStates(std::shared_ptr<const hdf5::File> file, hdf5::Group split, Of what,
               at::ScalarType dtype, int64_t rows, int64_t hidden_size);

  // 1-based, in the order in which read() gives them.
  const std::vector<int64_t>& layers() const { return layers_; }
  int64_t hidden_size() const;
  int64_t tokens() const;             // of all rows
  int64_t length(int64_t row) const;  // its tokens

  // The same states, of `layers` alone, in that order; null when one is not there.
  std::shared_ptr<const HiddenStates> with_layers(const std::vector<int64_t>& layers) const;

  // (tokens of `rows`, layers, H) float32: rows (any order, also none) one after another. Local,
  // from the thread of MPI alone; verifies checksums. Throws a user error when the file is damaged
  // or a state is NaN or infinite.
  at::Tensor read(const std::vector<int64_t>& rows) const;

  // Reads part `part` of `parts` of all rows, for the errors of read(). Local.
  void verify(int part, int parts) const;

 private:
  struct Stored;
  HiddenStates(std::shared_ptr<const Stored> stored, std::vector<int64_t> layers);

  struct Wanted {
    int64_t row;
    int64_t begin;  // of its tokens in the result
  };
  // What one read takes: neighbours on the disk, of neighbouring layers.
  struct Run {
    std::vector<Wanted>::const_iterator first, last;
    int64_t first_column, last_column;  // of `layers_`
  };
  void copy_run(const Run& run, float* out) const;

  std::shared_ptr<const Stored> stored_;
  std::vector<int64_t> layers_;
  std::vector<int64_t> columns_;  // of `layers_` among the stored ones
};

}  // namespace kdbench
