// SPDX-License-Identifier: MIT
// The program: arguments to a verb, exceptions to exit codes.
#pragma once

namespace kdbench {

// Starts and ends MPI; returns the exit code.
int run_program(int argc, char** argv);

}  // namespace kdbench
