// SPDX-License-Identifier: MIT
// Rows of a GLUE file to token ids, on several threads. No MPI and no HDF5 in here.
#pragma once

#include <cstdint>
#include <functional>

#include "io/stores/feature_store.h"
#include "io/tasks/glue.h"
#include "io/tasks/task.h"
#include "io/tokenizers/tokenizer.h"

namespace kdbench {

struct RowShape {
  int max_length = 128;  // ids of a row; apart: of each of its texts
  RowLayout layout = RowLayout::kJoined;
  // Of texts, by row id: where one is cut in two (Tokenizer::encode_text). Thread-safe. Null: none.
  std::function<double(int64_t)> cut = nullptr;
};

// Rows [begin, end) of `file.rows` in their order, each with special tokens and of that shape. The
// slice is named after the file ("dev_matched"). `threads` >= 1; the result does not depend on it.
// Local.
FeatureSlice tokenize_rows(const Tokenizer& tokenizer, const Task& task, const GlueFile& file,
                           int64_t begin, int64_t end, const RowShape& shape, int threads);

// Puts the rows of `part` behind those of `all`, whose names stay. Local.
void append(FeatureSlice& all, const FeatureSlice& part);

}  // namespace kdbench
