// SPDX-License-Identifier: MIT
// A model as a Hugging Face folder that transformers loads as a sequence classifier.
#pragma once

#include <filesystem>

#include "io/weights/safetensors.h"
#include "methods/models/model.h"

namespace kdbench {

// All parameters under their names in a checkpoint: the encoder and pooler below "bert." or
// "roberta.", the classifier without a prefix. Parameters that a method added are left out: only
// its training uses them. Copies on the CPU.
TensorMap to_checkpoint(const Model& model);

// Writes config.json and model.safetensors into `folder`, which exists. Tokenizer files are the
// caller's.
void save_checkpoint(const Model& model, const std::filesystem::path& folder);

}  // namespace kdbench
