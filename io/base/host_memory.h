// SPDX-License-Identifier: MIT
// Bytes of one rank that the other ranks of its host map, to read them or to write as well. They
// belong to the kernel (memfd): they need no /dev/shm, have no name, and are gone with the last
// process that maps them, however it ends.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>

namespace kdbench {

// How another process finds a HostMemory.
struct HostMemoryPlace {
  int64_t process = 0, file = -1;  // the owner's, and its descriptor
  uint64_t device = 0, inode = 0;  // what is found there
  int64_t bytes = 0;
};

// Local. Failures are machine errors.
class HostMemory {
 public:
  // `shared`: other processes may map it, until stop_sharing(). The pages are there on return:
  // memory that is lacking is an error here and no signal later.
  HostMemory(int64_t bytes, bool shared);
  enum class Access { kRead, kWrite };
  // Of another process of this host, which must not have stopped to share it.
  explicit HostMemory(const HostMemoryPlace& place, Access access = Access::kRead);
  ~HostMemory();
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;

  void* data() { return data_; }
  const void* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

  // Nobody writes to shared memory any more, this process neither.
  void make_read_only();
  // Of mapped memory that many passes go over: the kernel moves it into huge pages, or leaves it.
  void ask_for_huge_pages();
  // Of shared memory of this process.
  HostMemoryPlace place() const;
  // Who has not mapped it by now cannot do so any more.
  void stop_sharing();

 private:
  void map(int protection);

  int file_ = -1;  // of shared memory of this process
  void* data_ = nullptr;
  int64_t bytes_ = 0;
  bool mapped_ = false;
};

}  // namespace kdbench
