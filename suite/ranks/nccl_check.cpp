// SPDX-License-Identifier: MIT
#include "suite/ranks/nccl_check.h"

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "io/base/doing.h"
#include "io/base/end_job.h"

namespace kdbench {
namespace {

constexpr std::chrono::seconds kNcclPatience{600};
constexpr std::chrono::microseconds kNcclPause{50};

[[noreturn]] void fail(const char* call, const char* reason, const char* details) {
  const char* doing = Doing::now();
  char message[4096];
  std::snprintf(message, sizeof message, "%s%s%s: %s%s%s", doing, *doing ? ": " : "", call, reason,
                *details ? ": " : "", details);
  end_job(message, ExitCode::kMachine);
}

}  // namespace

std::chrono::seconds nccl_patience() {
  static const std::chrono::seconds patience = [] {
    const char* text = std::getenv("KDBENCH_NCCL_TIMEOUT");
    if (!text) return kNcclPatience;
    char* end = nullptr;
    const long seconds = std::strtol(text, &end, 10);
    if (seconds <= 0 || *end != 0)
      throw_user_error("KDBENCH_NCCL_TIMEOUT", std::string("expected seconds, found ") + text);
    return std::chrono::seconds(seconds);
  }();
  return patience;
}

void check_nccl(ncclResult_t code, ncclComm_t comm, const char* call) {
  const auto end = std::chrono::steady_clock::now() + nccl_patience();
  while (code == ncclInProgress && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kNcclPause);
    if (ncclCommGetAsyncError(comm, &code) != ncclSuccess)
      fail(call, "the communicator is lost", ncclGetLastError(comm));
  }
  if (code == ncclInProgress) fail(call, "did not end in time (KDBENCH_NCCL_TIMEOUT)", "");
  if (code != ncclSuccess) fail(call, ncclGetErrorString(code), ncclGetLastError(comm));
}

void check_nccl(ncclResult_t code, const char* call) {
  if (code != ncclSuccess) fail(call, ncclGetErrorString(code), ncclGetLastError(nullptr));
}

}  // namespace kdbench
