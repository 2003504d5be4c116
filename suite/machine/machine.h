// SPDX-License-Identifier: MIT
// What this host has to give right now: memory, disk space, GPUs, processor features. Read from the
// kernel's files, without the libraries of any device. Everything here is local.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace kdbench {

// Bytes that processes of this job can still take: the kernel's MemAvailable, or what the least
// memory limit of its cgroup leaves.
int64_t available_memory_bytes();
// What the least limit of a process's cgroup and its parents leaves; nullopt without a limit.
// `root`: where cgroups are mounted; `membership`: the text of /proc/self/cgroup.
std::optional<int64_t> memory_left_in_cgroup(const std::filesystem::path& root,
                                             const std::string& membership);

struct Disk {
  std::filesystem::path mount;  // "/scratch"
  std::string type;             // "ext4", "nfs4", "lustre", ..., "unknown"
  int64_t free_bytes = 0;       // to users who are not root
};
// Of the folder, or of the nearest one above it that exists. Throws a machine error.
Disk disk_of(const std::filesystem::path& folder);
// The line of /proc/self/mounts that `folder` (absolute) lies on: mount point and type. `mounts`:
// the file's text.
Disk find_mount(const std::string& mounts, const std::filesystem::path& folder);

// NVIDIA's GPUs by name, from the driver's files below `root` ("/"), or by number where only their
// device files are there.
std::vector<std::string> gpu_names(const std::filesystem::path& root = "/");

// Of the processor's features those that decide its speed here: "AVX2, AVX-512, AVX-512 BF16".
// `flags`: the line of /proc/cpuinfo.
std::string vector_features(const std::string& flags);
std::string vector_features();

// The program's full path, from PATH; empty when it is not there.
std::filesystem::path find_program(const std::string& name);

// "640 B", "71.3 MB", "1.2 GB": decimal units, as disks and networks are measured.
std::string bytes_text(double bytes);

}  // namespace kdbench
