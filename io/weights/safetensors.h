// SPDX-License-Identifier: MIT
// safetensors: an 8-byte little-endian header length, a JSON header, raw tensors. Files come from
// strangers: every length, offset, shape and dtype is checked against the file before it is used.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace kdbench {

using TensorMap = std::map<std::string, at::Tensor>;

// A tensor as the header describes it.
struct SafetensorsEntry {
  std::string name;
  at::ScalarType type = at::kFloat;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;  // in the data after the header
};

// An open file, of which parts are read. Errors are user errors that name the file and the tensor.
class SafetensorsFile {
 public:
  // Reads and checks the whole header.
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::string& path() const { return path_; }
  const std::map<std::string, SafetensorsEntry>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  // Null when there is none of that name.
  const SafetensorsEntry* find(const std::string& name) const;

  at::Tensor read(const SafetensorsEntry& tensor) const;
  // Its elements [first, first + values.numel()), in memory order; `values` is of its type, which
  // is not BOOL, and contiguous.
  void read(const SafetensorsEntry& tensor, int64_t first, const at::Tensor& values) const;

 private:
  std::string read_header();
  void read_bytes(uint64_t offset, void* data, uint64_t bytes) const;

  std::string path_;
  mutable std::ifstream stream_;
  uint64_t size_ = 0, data_begin_ = 0;
  std::map<std::string, SafetensorsEntry> tensors_;
  std::map<std::string, std::string> metadata_;
};

// All tensors, as stored (F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL), on the CPU. Throws a user error
// naming the file, the tensor and what is wrong. `metadata` (optional) receives the header's
// __metadata__.
TensorMap read_safetensors(const std::filesystem::path& path,
                           std::map<std::string, std::string>* metadata = nullptr);

// Writes `path`.partial, flushes, renames. Tensors are made contiguous on the CPU.
void write_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace kdbench
