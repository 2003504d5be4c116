// SPDX-License-Identifier: MIT
// While it lives, memory that is freed stays with the process, to be taken again: a training step
// frees and takes the same large blocks, and each would come from the kernel page by page. When it
// ends, what is free goes back. With glibc; elsewhere nothing happens.
#pragma once

namespace kdbench {

class KeptHeap {
 public:
  KeptHeap();
  ~KeptHeap();
  KeptHeap(const KeptHeap&) = delete;
  KeptHeap& operator=(const KeptHeap&) = delete;
};

}  // namespace kdbench
