// SPDX-License-Identifier: MIT
// A model's first weights: a checkpoint's, whole or with some of its layers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "io/weights/safetensors.h"
#include "methods/models/model.h"

namespace kdbench {

// Which layers of a source with more layers a model takes (`init`):
//   weights       all; both are equally deep
//   first-layers  layer i from source layer i
//   skip-layers   layer i from source layer (i + 1) m - 1, m = source layers / layers, which must
//   divide
//   random        none
// Throws a user error where the depths do not fit.
void check_depths(int64_t source_layers, int64_t layers, const std::string& init);

// Copies `source` into the model as `init` says (`where` names the source in errors). What the
// architecture needs of a checkpoint must be complete: missing tensors are one user error. A pooler
// or classifier keeps its value when the source has none; that is the report's `missing`, and what
// the model does not want is `unexpected`. Parameters that a method added always keep theirs.
// `trained`: the model goes on learning, so a classifier of another number of outputs (another
// task's) is left out, which is noted; else it is a user error.
LoadReport initialize_student(Model& model, const TensorMap& source, int64_t source_layers,
                              const std::string& init, const std::string& where,
                              bool trained = false);
// The same from a Hugging Face folder. Where its labels are the model's in another order, the rows
// of its classifier take the model's.
LoadReport initialize_from_checkpoint(Model& model, const std::filesystem::path& folder,
                                      const std::string& init, bool trained = false);

// `entries` of the tokenizer in `folder` against the rows of the model's embedding. More entries
// than rows are a user error; fewer leave rows as padding, unless so many that the vocabulary must
// be another model's.
void check_vocabulary(const std::filesystem::path& folder, int64_t entries,
                      const ModelConfig& config);

}  // namespace kdbench
