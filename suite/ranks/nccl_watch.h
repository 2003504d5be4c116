// SPDX-License-Identifier: MIT
// Watches one NCCL communicator from a thread of its own: operations that fail or do not end. Only
// in builds with KDBENCH_CUDA.
#pragma once

#include <ATen/cuda/CUDAEvent.h>
#include <nccl.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace kdbench {

class NcclWatch {
 public:
  explicit NcclWatch(ncclComm_t comm);
  // Operations that are under way are no longer watched.
  ~NcclWatch();
  NcclWatch(const NcclWatch&) = delete;
  NcclWatch& operator=(const NcclWatch&) = delete;

  // `done` is recorded behind the operation; `what`: "allreduce of 25.0 MB", for the message. In
  // the order in which the operations run.
  void add(std::shared_ptr<at::cuda::CUDAEvent> done, const char* operation, int64_t bytes);

 private:
  struct Operation {
    std::shared_ptr<at::cuda::CUDAEvent> done;
    const char* name;
    int64_t bytes;
    std::chrono::steady_clock::time_point started;
  };

  void watch();
  void look();

  ncclComm_t comm_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Operation> operations_;
  bool over_ = false;
  std::thread thread_;  // last: it uses all of the others
};

}  // namespace kdbench
