// SPDX-License-Identifier: MIT
#include "io/base/host_memory.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "io/base/error.h"

namespace kdbench {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr int64_t kReservedAtOnce = int64_t{64} << 20;  // a signal undoes one call's work

[[noreturn]] void fail(int64_t bytes, const char* what, int reason) {
  throw_machine_error(
      "memory of this host",
      fmt::format("{} MB {}: {}", (bytes + 999'999) / 1'000'000, what, std::strerror(reason)));
}

// All of the file's pages.
void reserve(int file, int64_t bytes) {
  if (ftruncate(file, bytes) != 0) fail(bytes, "cannot be had", errno);
  for (int64_t at = 0; at < bytes;) {
    const int64_t piece = std::min(kReservedAtOnce, bytes - at);
    if (fallocate(file, 0, at, piece) == 0) {
      at += piece;
    } else if (errno != EINTR) {
      fail(bytes, "cannot be had", errno);
    }
  }
}

// Where a mapping of so many bytes may lie in huge pages; it replaces what is there. Null:
// anywhere.
void* place_for_huge_pages(size_t bytes) {
  if (bytes < kHugePage) return nullptr;
  static const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  bytes = (bytes + page - 1) / page * page;
  void* const found = mmap(nullptr, bytes + kHugePage, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (found == MAP_FAILED) return nullptr;
  char* const begin = static_cast<char*>(found);
  const size_t before = (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
  if (before > 0) munmap(begin, before);
  if (before < kHugePage) munmap(begin + before + bytes, kHugePage - before);
  return begin + before;
}

// Closes a descriptor at the end of a scope.
struct Descriptor {
  int file;
  ~Descriptor() {
    if (file >= 0) ::close(file);
  }
};

}  // namespace

HostMemory::HostMemory(int64_t bytes, bool shared) : bytes_(bytes) {
  if (!shared) {
    data_ = ::operator new(static_cast<size_t>(bytes));
    return;
  }
  Descriptor made{memfd_create("kdbench", MFD_CLOEXEC)};
  if (made.file < 0) fail(bytes, "cannot be shared", errno);
  reserve(made.file, bytes);
  file_ = made.file;
  map(PROT_READ | PROT_WRITE);
  made.file = -1;
}

HostMemory::HostMemory(const HostMemoryPlace& place, Access access) : bytes_(place.bytes) {
  const bool writes = access == Access::kWrite;
  const std::string path = fmt::format("/proc/{}/fd/{}", place.process, place.file);
  const Descriptor found{::open(path.c_str(), (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC)};
  if (found.file < 0) fail(bytes_, "of another rank cannot be opened", errno);
  // Processes in different PID namespaces know others by this number.
  struct stat status {};
  if (fstat(found.file, &status) != 0 || status.st_dev != place.device ||
      status.st_ino != place.inode || status.st_size != bytes_) {
    fail(bytes_, "of another rank are not where it says", ESRCH);
  }
  file_ = found.file;
  map(writes ? PROT_READ | PROT_WRITE : PROT_READ);
  file_ = -1;
}

HostMemory::~HostMemory() {
  stop_sharing();
  if (mapped_) {
    munmap(data_, static_cast<size_t>(bytes_));
  } else {
    ::operator delete(data_);
  }
}

void HostMemory::map(int protection) {
  const auto bytes = static_cast<size_t>(bytes_);
  void* const place = place_for_huge_pages(bytes);
  void* at = mmap(place, bytes, protection, MAP_SHARED | (place ? MAP_FIXED : 0), file_, 0);
  if (at == MAP_FAILED) {
    const int reason = errno;
    if (place) munmap(place, bytes);
    fail(bytes_, "cannot be mapped", reason);
  }
  data_ = at;
  mapped_ = true;
}

void HostMemory::make_read_only() {
  if (mapped_) mprotect(data_, static_cast<size_t>(bytes_), PROT_READ);
}

void HostMemory::ask_for_huge_pages() {
  constexpr int kCollapse = 25;  // MADV_COLLAPSE of Linux 6.1, which older headers lack
  const size_t whole = static_cast<size_t>(bytes_) / kHugePage * kHugePage;
  if (mapped_ && whole > 0) madvise(data_, whole, kCollapse);
}

HostMemoryPlace HostMemory::place() const {
  struct stat status {};
  if (file_ < 0 || fstat(file_, &status) != 0) fail(bytes_, "are not shared", EBADF);
  return {getpid(), file_, status.st_dev, status.st_ino, bytes_};
}

void HostMemory::stop_sharing() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

}  // namespace kdbench
