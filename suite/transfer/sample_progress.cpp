// SPDX-License-Identifier: MIT
#include "suite/transfer/sample_progress.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "io/base/partial_file.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

fs::path progress_path(const fs::path& path) { return path.string() + ".progress"; }

}  // namespace

std::optional<SampleProgress> read_progress(const fs::path& path, const std::string& identity) {
  std::ifstream file(progress_path(path));
  const auto json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  std::error_code error;
  const auto size = static_cast<int64_t>(fs::file_size(partial_path(path), error));
  if (error || !json.is_object() || json.value("identity", "") != identity) return std::nullopt;
  try {
    SampleProgress progress;
    progress.next = json.at("next");
    progress.bytes = json.at("bytes");
    const auto& set = json.at("set");
    progress.set = {set.at("begun"), set.at("written"), set.at("without_end"), set.at("malformed"),
                    set.at("ids")};
    if (progress.next <= 0 || progress.bytes <= 0 || size < progress.bytes) return std::nullopt;
    return progress;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

void write_progress(const fs::path& path, const std::string& identity,
                    const SampleProgress& progress) {
  const std::string text = nlohmann::json{
      {"identity", identity},
      {"next", progress.next},
      {"bytes", progress.bytes},
      {"set",
       to_json(progress.set)}}.dump();
  write_file(progress_path(path), text);
}

void remove_progress(const fs::path& path) {
  std::error_code ignored;
  fs::remove(progress_path(path), ignored);
}

}  // namespace kdbench
