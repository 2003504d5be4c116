// SPDX-License-Identifier: MIT
#include "suite/machine/kept_heap.h"

#include <cstdlib>
#include <limits>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace kdbench {

#ifdef __GLIBC__
namespace {

constexpr int kMappings = 65536;         // glibc's own
constexpr int kMapFrom = 32 << 20;       // bytes; what its own rule rises to
constexpr int kTrimFrom = 2 * kMapFrom;  // the same
constexpr int kNever = std::numeric_limits<int>::max();

}  // namespace

KeptHeap::KeptHeap() {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, kNever);
}

KeptHeap::~KeptHeap() {
  mallopt(M_MMAP_MAX, kMappings);
  mallopt(M_MMAP_THRESHOLD, kMapFrom);
  mallopt(M_TRIM_THRESHOLD, kTrimFrom);
  malloc_trim(0);
}
#else
KeptHeap::KeptHeap() = default;
KeptHeap::~KeptHeap() = default;
#endif

}  // namespace kdbench
