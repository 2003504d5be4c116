// SPDX-License-Identifier: MIT
#include "suite/machine/machine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "io/base/error.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// The value of a line "key: value" or "key : value"; empty when there is none.
std::string value_of(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos || line.rfind(key, 0) != 0) continue;
    const size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

std::optional<int64_t> number_in(const fs::path& file) {
  std::ifstream stream(file);
  int64_t value = 0;
  return stream >> value ? std::optional(value) : std::nullopt;  // also for "max"
}

std::optional<int64_t> left_of(const fs::path& folder, const char* limit, const char* usage) {
  const auto most = number_in(folder / limit), used = number_in(folder / usage);
  // Version 1 writes "no limit" as a number near 2^63.
  if (!most || !used || *most > (int64_t{1} << 60)) return std::nullopt;
  return std::max<int64_t>(0, *most - *used);
}

}  // namespace

std::optional<int64_t> memory_left_in_cgroup(const fs::path& root, const std::string& membership) {
  std::optional<int64_t> least;
  const auto consider = [&](std::optional<int64_t> left) {
    if (left && (!least || *left < *least)) least = left;
  };
  std::istringstream lines(membership);
  for (std::string line; std::getline(lines, line);) {
    const bool second = line.rfind("0::/", 0) == 0;  // the line of cgroup v2
    const size_t first = line.find(":memory:/");     // or of v1's memory controller
    if (!second && first == std::string::npos) continue;
    fs::path folder = second ? root : root / "memory";
    const fs::path below = line.substr(second ? 4 : first + 9);
    const auto look = [&] {
      consider(second ? left_of(folder, "memory.max", "memory.current")
                      : left_of(folder, "memory.limit_in_bytes", "memory.usage_in_bytes"));
    };
    look();
    for (const auto& part : below) {
      folder /= part;
      look();
    }
  }
  return least;
}

int64_t available_memory_bytes() {
  const std::string text = value_of(text_of("/proc/meminfo"), "MemAvailable");
  const int64_t available = std::strtoll(text.c_str(), nullptr, 10) * 1024;
  const auto left = memory_left_in_cgroup("/sys/fs/cgroup", text_of("/proc/self/cgroup"));
  return left ? std::min(*left, available) : available;
}

Disk find_mount(const std::string& mounts, const fs::path& folder) {
  Disk disk;
  std::istringstream lines(mounts);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string device, point, type;
    if (!(words >> device >> point >> type)) continue;
    const fs::path mount = point;
    const auto end = std::mismatch(mount.begin(), mount.end(), folder.begin(), folder.end()).first;
    // Of several mounts on one point the last hides the others.
    if (end == mount.end() && point.size() >= disk.mount.string().size()) disk = {mount, type, 0};
  }
  return disk;
}

Disk disk_of(const fs::path& folder) {
  std::error_code failed;
  fs::path there = fs::absolute(folder).lexically_normal();
  while (!fs::exists(there, failed) && there.has_relative_path()) there = there.parent_path();
  const fs::path real = fs::canonical(there, failed);
  Disk disk = find_mount(text_of("/proc/self/mounts"), failed ? there : real);
  if (disk.type.empty()) disk = {"/", "unknown", 0};  // a changed root's own mount is not listed
  disk.free_bytes = static_cast<int64_t>(fs::space(there, failed).available);
  if (failed) throw_machine_error(there.string(), "no disk space to be read: " + failed.message());
  return disk;
}

std::vector<std::string> gpu_names(const fs::path& root) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& gpu : fs::directory_iterator(root / "proc/driver/nvidia/gpus", none)) {
    names.push_back(value_of(text_of(gpu.path() / "information"), "Model"));
  }
  for (int i = 0; names.empty() && i < 64; ++i) {
    const std::string device = fmt::format("nvidia{}", i);
    if (fs::exists(root / "dev" / device)) names.push_back("NVIDIA GPU (/dev/" + device + ")");
  }
  return names;
}

std::string vector_features(const std::string& flags) {
  static const std::vector<std::pair<std::string, std::string>> names{
      {"avx2", "AVX2"},         {"avx512f", "AVX-512"}, {"avx512_bf16", "AVX-512 BF16"},
      {"amx_bf16", "AMX BF16"}, {"asimd", "NEON"},      {"sve", "SVE"}};
  std::istringstream words(flags);
  const std::vector<std::string> there{std::istream_iterator<std::string>(words), {}};
  std::string text;
  for (const auto& [flag, name] : names) {
    if (std::find(there.begin(), there.end(), flag) == there.end()) continue;
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

std::string vector_features() {
  const std::string info = text_of("/proc/cpuinfo");
  const std::string flags = value_of(info, "flags");
  return vector_features(flags.empty() ? value_of(info, "Features") : flags);
}

fs::path find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path program = fs::path(folder) / name;
    if (!folder.empty() && ::access(program.c_str(), X_OK) == 0) return program;
  }
  return {};
}

std::string bytes_text(double bytes) {
  if (bytes < 1e3) return fmt::format("{:.0f} B", bytes);
  if (bytes < 1e6) return fmt::format("{:.1f} kB", bytes / 1e3);
  if (bytes < 1e9) return fmt::format("{:.1f} MB", bytes / 1e6);
  return fmt::format("{:.1f} GB", bytes / 1e9);
}

}  // namespace kdbench
