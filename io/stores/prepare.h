// SPDX-License-Identifier: MIT
// Rows of a GLUE file to token ids, on several threads. No MPI and no HDF5 in here.
#pragma once

#include <cstdint>

#include "io/stores/feature_store.h"
#include "io/tasks/glue.h"
#include "io/tasks/task.h"
#include "io/tokenizers/tokenizer.h"

namespace kdbench {

// Rows [begin, end) of `file.rows` in their order, each with special tokens and cut to `max_length`
// ids. The slice is named after the file ("dev_matched"). `threads` >= 1; the result does not
// depend on it. Local.
FeatureSlice tokenize_rows(const Tokenizer& tokenizer, const Task& task, const GlueFile& file,
                           int64_t begin, int64_t end, int max_length, int threads);

}  // namespace kdbench
