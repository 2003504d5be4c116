// SPDX-License-Identifier: MIT
// A model as a Hugging Face folder that transformers loads as a sequence classifier.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/weights/safetensors.h"
#include "methods/models/model.h"

namespace kdbench {

// The weights of a folder under the names that parameters of the architecture have: a prefix like
// "bert." removed, also below that of a wrapper ("module." of DataParallel), old names
// (LayerNorm.gamma) renamed. Floats are float32; what holds none is as in the file. `notes`
// (optional) receives a line on each thing that was left out. Throws a user error.
TensorMap read_checkpoint(const std::filesystem::path& folder, const std::string& architecture,
                          std::vector<std::string>* notes = nullptr);

// All parameters under their names in a checkpoint: the encoder and pooler below "bert." or
// "roberta.", the classifier without a prefix. Parameters that a method added are left out: only
// its training uses them. Copies on the CPU.
TensorMap to_checkpoint(const Model& model);

// Writes config.json and model.safetensors into `folder`, which exists. Tokenizer files are the
// caller's.
void save_checkpoint(const Model& model, const std::filesystem::path& folder);

}  // namespace kdbench
