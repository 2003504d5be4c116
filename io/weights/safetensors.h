// SPDX-License-Identifier: MIT
// safetensors: an 8-byte little-endian header length, a JSON header, raw tensors. Files come from
// strangers: every length, offset, shape and dtype is checked against the file before it is used.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace kdbench {

using TensorMap = std::map<std::string, at::Tensor>;

// All tensors, as stored (F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL), on the CPU. Throws a user error
// naming the file, the tensor and what is wrong. `metadata` (optional) receives the header's
// __metadata__.
TensorMap read_safetensors(const std::filesystem::path& path,
                           std::map<std::string, std::string>* metadata = nullptr);

// Writes `path`.partial, flushes, renames. Tensors are made contiguous on the CPU.
void write_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace kdbench
