// SPDX-License-Identifier: MIT
#include "suite/training/checkpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <new>
#include <vector>

#include "io/base/error.h"
#include "io/base/foreign_error.h"
#include "io/base/partial_file.h"
#include "io/base/sha256.h"
#include "io/weights/safetensors.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kFormat = "kdbench checkpoint 1";
constexpr const char* kFormatKey = "format";
constexpr const char* kChecksumKey = "sha256";
// Beside the state's tensors, bytes each: CBOR, which keeps every bit of a number, and text.
constexpr const char* kRecord = "record";
constexpr const char* kEvents = "events";
constexpr const char* kExtension = ".safetensors";

at::Tensor bytes_tensor(const void* data, size_t size) {
  at::Tensor bytes = at::empty({static_cast<int64_t>(size)}, at::kByte);
  if (size > 0) std::memcpy(bytes.data_ptr(), data, size);
  return bytes;
}

const uint8_t* bytes_of(const at::Tensor& tensor) { return tensor.const_data_ptr<uint8_t>(); }

// Of all tensors: names, types, shapes and bytes, which lie on the CPU.
std::string checksum(const TensorMap& tensors) {
  Sha256 hash;
  for (const auto& [name, tensor] : tensors) {
    hash.update(fmt::format("{} {}", name, c10::toString(tensor.scalar_type())));
    for (const int64_t size : tensor.sizes()) hash.update(fmt::format(" {}", size));
    hash.update("\n");
    hash.update(tensor.const_data_ptr(), tensor.nbytes());
  }
  return hash.hex();
}

fs::path file_of(const fs::path& folder, int64_t steps) {
  return folder / fmt::format("{:012}{}", steps, kExtension);
}

// Newest first.
std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().extension() == kExtension) files.push_back(entry.path());
  }
  std::sort(files.rbegin(), files.rend());
  return files;
}

// All but `newest` and the one before it: also later ones, of a training that went on from an
// earlier one, and half-written ones.
void remove_others(const fs::path& folder, const fs::path& newest) {
  std::vector<fs::path> kept = files_in(folder);
  kept.erase(
      std::remove_if(kept.begin(), kept.end(), [&](const fs::path& file) { return file > newest; }),
      kept.end());
  kept.resize(std::min<size_t>(kept.size(), 2));
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (std::find(kept.begin(), kept.end(), entry.path()) == kept.end())
      fs::remove(entry.path(), ignored);
  }
}

TensorMap to_tensors(const KeptTraining& kept, const std::string& identity) {
  TensorMap tensors;
  for (const auto& [name, tensor] : tensors_of(kept.state))
    tensors[name] = tensor.detach().cpu().contiguous();
  const std::vector<uint8_t> record =
      json::to_cbor({{"identity", identity}, {"state", numbers_of(kept.state)}, {"run", kept.run}});
  tensors[kRecord] = bytes_tensor(record.data(), record.size());
  tensors[kEvents] = bytes_tensor(kept.events.data(), kept.events.size());
  return tensors;
}

KeptTraining from_tensors(const TensorMap& tensors, const std::string& identity) {
  const at::Tensor &bytes = tensors.at(kRecord), &events = tensors.at(kEvents);
  const json record = json::from_cbor(bytes_of(bytes), bytes_of(bytes) + bytes.numel());
  if (record.at("identity") != identity)
    throw_user_error("", "is that of other settings, inputs or data");
  KeptTraining kept;
  kept.state = make_state(tensors, record.at("state"));
  kept.run = record.at("run");
  kept.events.assign(bytes_of(events), bytes_of(events) + events.numel());
  return kept;
}

// Throws what says why not.
KeptTraining read_checked(const fs::path& file, const std::string& identity) {
  std::map<std::string, std::string> metadata;
  const TensorMap tensors = read_safetensors(file, &metadata);
  if (metadata[kFormatKey] != kFormat) throw_user_error("", "is of another kdbench");
  if (metadata[kChecksumKey] != checksum(tensors)) throw_user_error("", "is not what was written");
  return from_tensors(tensors, identity);
}

}  // namespace

int64_t Checkpoints::write(const KeptTraining& kept) const {
  int64_t written = 0;
  control_.on_root([&] {
    make_subfolder(folder_);
    const fs::path file = file_of(folder_, kept.state.result.steps);
    const TensorMap tensors = to_tensors(kept, identity_);
    write_safetensors(file, tensors, {{kFormatKey, kFormat}, {kChecksumKey, checksum(tensors)}});
    flush_folder(folder_);
    remove_others(folder_, file);
    std::error_code unknown;
    written = static_cast<int64_t>(fs::file_size(file, unknown));
  });
  return control_.max(written);
}

std::optional<KeptTraining> Checkpoints::read(
    const std::function<void(const std::string&)>& warn) const {
  std::optional<KeptTraining> kept;
  std::string name;
  control_.on_root([&] {
    for (const auto& file : files_in(folder_)) {
      try {
        kept = read_checked(file, identity_);
        name = file.filename().string();
        return;
      } catch (const std::exception& error) {
        if (dynamic_cast<const std::bad_alloc*>(&error)) throw;  // says nothing of the file
        const Error reason = as_error(error, "");
        warn(fmt::format("checkpoint {}: {}", file.string(),
                         reason.message().empty() ? error.what() : reason.message()));
      }
    }
  });
  name = control_.broadcast(name);
  if (name.empty()) return std::nullopt;
  control_.agree([&] {
    if (!kept) kept = from_tensors(read_safetensors(folder_ / name), identity_);
  });
  return kept;
}

}  // namespace kdbench
