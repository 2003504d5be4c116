// SPDX-License-Identifier: MIT
// NCCL's return codes. Communicators here work without blocking: a call that is under way says so,
// and is waited for, but not for ever. Only in builds with KDBENCH_CUDA.
#pragma once

#include <nccl.h>

#include <chrono>

namespace kdbench {

// How long an operation may take: KDBENCH_NCCL_TIMEOUT in the environment, in whole seconds; 600 if
// it is not set. Throws a user error when that is no number above 0. Local.
std::chrono::seconds nccl_patience();

// Waits until `comm` is done with what `call` began, and ends the job (end_job) if that failed or
// takes too long. `code`: what the call returned.
void check_nccl(ncclResult_t code, ncclComm_t comm, const char* call);
// Of a call without a communicator.
void check_nccl(ncclResult_t code, const char* call);

}  // namespace kdbench
