// SPDX-License-Identifier: MIT
// SHA-256 (OpenSSL): identities of files, tokenizers, checkpoints and stages.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace kdbench {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256& update(std::string_view bytes);
  Sha256& update(const void* data, size_t size);
  std::string hex();  // ends the computation

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256(std::string_view bytes);
// Of the file's bytes from `from` on. Throws a user error when it cannot be read. A file that has
// not changed since is not read again in this process.
std::string file_sha256(const std::filesystem::path& path, int64_t from = 0);
// First `digits` of the SHA-256 of a JSON value (keys sorted).
std::string json_hash(const nlohmann::json& value, size_t digits = 16);

}  // namespace kdbench
