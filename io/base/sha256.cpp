// SPDX-License-Identifier: MIT
#include "io/base/sha256.h"

#include <openssl/evp.h>
#include <sys/stat.h>

#include <array>
#include <ctime>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <vector>

#include "io/base/error.h"

namespace kdbench {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

void check(int ok) {
  if (ok != 1) throw_machine_error("OpenSSL", "SHA-256 failed");
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  check(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr));
}

Sha256::~Sha256() = default;

Sha256& Sha256::update(std::string_view bytes) { return update(bytes.data(), bytes.size()); }

Sha256& Sha256::update(const void* data, size_t size) {
  check(EVP_DigestUpdate(state_->context, data, size));
  return *this;
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  check(EVP_DigestFinal_ex(state_->context, digest.data(), &size));
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

std::string sha256(std::string_view bytes) { return Sha256().update(bytes).hex(); }

namespace {

std::string hash_file(const std::filesystem::path& path, int64_t from) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(from);
  std::vector<char> piece(kPieceBytes);
  Sha256 hash;
  while (file.read(piece.data(), kPieceBytes), file.gcount() > 0) {
    hash.update(piece.data(), static_cast<size_t>(file.gcount()));
  }
  if (!file.is_open() || std::filesystem::is_directory(path))
    throw_user_error(path.string(), "the file cannot be read");
  if (!file.eof()) throw_machine_error(path.string(), "the disk cannot read it");
  return hash.hex();
}

// Which file it is and in which state: whoever writes to it or replaces it changes one of these.
using FileState = std::array<int64_t, 6>;

FileState state_of(const struct stat& file) {
  return {static_cast<int64_t>(file.st_dev),
          static_cast<int64_t>(file.st_ino),
          file.st_size,
          file.st_mtim.tv_sec,
          file.st_mtim.tv_nsec,
          file.st_ctim.tv_nsec};
}

// Two writes within one tick of the file system's clock look alike: a young file is not remembered.
bool is_settled(const struct stat& file) { return std::time(nullptr) - file.st_mtim.tv_sec > 2; }

}  // namespace

std::string file_sha256(const std::filesystem::path& path, int64_t from) {
  static std::mutex mutex;
  static std::map<std::pair<FileState, int64_t>, std::string> known;
  struct stat before {};
  if (::stat(path.c_str(), &before) != 0) return hash_file(path, from);
  const std::lock_guard lock(mutex);
  const auto found = known.find({state_of(before), from});
  if (found != known.end()) return found->second;
  const std::string hash = hash_file(path, from);
  if (is_settled(before)) known[{state_of(before), from}] = hash;
  return hash;
}

std::string json_hash(const nlohmann::json& value, size_t digits) {
  // Paths may hold bytes that are no UTF-8.
  return sha256(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
      .substr(0, digits);
}

}  // namespace kdbench
