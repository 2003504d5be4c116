// SPDX-License-Identifier: MIT
// The weight files of a Hugging Face model folder: model.safetensors, also sharded by
// model.safetensors.index.json.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "io/weights/safetensors.h"

namespace kdbench {

// The name under which a file's tensor is kept; "" for what is no weight.
using WeightName = std::function<std::string(const std::string&)>;

// The weights of a folder, F16/BF16/F64 converted to float32. A weight without floats and two with
// one name are user errors. pytorch_model.bin is refused with the conversion command: LibTorch's
// unpickler cannot read a state dict's OrderedDict.
TensorMap read_weight_files(const std::filesystem::path& folder, const WeightName& own_name);
// Of the weight files' bytes.
std::string model_weights_sha256(const std::filesystem::path& folder);

}  // namespace kdbench
