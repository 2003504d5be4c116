// SPDX-License-Identifier: MIT
#include "suite/ranks/nccl_watch.h"

#include <fmt/format.h>

#include "io/base/end_job.h"
#include "suite/ranks/nccl_check.h"

namespace kdbench {
namespace {

constexpr std::chrono::milliseconds kInterval{200};

}  // namespace

NcclWatch::NcclWatch(ncclComm_t comm) : comm_(comm), thread_([this] { watch(); }) {}

NcclWatch::~NcclWatch() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void NcclWatch::add(std::shared_ptr<at::cuda::CUDAEvent> done, const char* operation,
                    int64_t bytes) {
  const std::lock_guard lock(mutex_);
  operations_.push_back({std::move(done), operation, bytes, std::chrono::steady_clock::now()});
}

void NcclWatch::watch() {
  std::unique_lock lock(mutex_);
  while (!over_) {
    changed_.wait_for(lock, kInterval);
    if (!over_) look();
  }
}

void NcclWatch::look() {
  while (!operations_.empty() && operations_.front().done->query()) operations_.pop_front();
  ncclResult_t state = ncclSuccess;
  if (ncclCommGetAsyncError(comm_, &state) != ncclSuccess) state = ncclInternalError;
  const bool failed = state != ncclSuccess && state != ncclInProgress;
  const bool late =
      !operations_.empty() &&
      std::chrono::steady_clock::now() - operations_.front().started > nccl_patience();
  if (!failed && !late) return;
  const std::string what =
      operations_.empty()
          ? std::string("NCCL")
          : fmt::format("NCCL {} of {} bytes", operations_.front().name, operations_.front().bytes);
  const std::string why =
      failed ? fmt::format("{} ({})", ncclGetErrorString(state), ncclGetLastError(comm_))
             : fmt::format("not done after {} s (KDBENCH_NCCL_TIMEOUT)", nccl_patience().count());
  end_job(what.c_str(), why.c_str());
}

}  // namespace kdbench
