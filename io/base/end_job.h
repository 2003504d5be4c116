// SPDX-License-Identifier: MIT
// How one rank ends the job while the others may wait for it: in a collective call of MPI, or
// within HDF5. Nothing is unwound, for destructors may wait too.
#pragma once

#include <string>

#include "io/base/error.h"

namespace kdbench {

// Local: "rank 1 of 3"; empty when this process is alone or MPI is not running.
std::string rank_name();

// Local; does not return. Prints "kdbench: rank R of N on HOST: message" and ends all ranks with
// `code`. Of ranks that fail at the same time only the lowest speaks.
[[noreturn]] void end_job(const char* message, ExitCode code);
// The machine failed: "doing: what", or "what" where `doing` is "".
[[noreturn]] void end_job(const char* doing, const char* what);

// An exception that nobody catches (thrown where none may be, for example) ends the job so too.
void end_job_when_nobody_catches();

}  // namespace kdbench
