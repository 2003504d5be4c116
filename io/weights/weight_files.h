// SPDX-License-Identifier: MIT
// The weight files of a Hugging Face model folder: model.safetensors, also sharded by
// model.safetensors.index.json.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/weights/safetensors.h"

namespace kdbench {

// The tensors of a folder under their names in the files; F16, BF16 and F64 converted to float32,
// what holds no floats as it is. A name in two shards is a user error. Weights in another form
// alone (a pickle, TensorFlow's, Flax's, an adapter) are refused by name, with the conversion
// command where there is one: LibTorch's unpickler cannot read a state dict's OrderedDict.
TensorMap read_weight_files(const std::filesystem::path& folder);
// Throws the user error of a folder without weights, or with others alone. Reads no tensors.
void check_weight_files(const std::filesystem::path& folder);
// Of the weight files' bytes.
std::string model_weights_sha256(const std::filesystem::path& folder);
// Names of further weight files in the folder, which nothing reads beside those.
std::vector<std::string> unused_weight_files(const std::filesystem::path& folder);

}  // namespace kdbench
