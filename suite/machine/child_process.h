// SPDX-License-Identifier: MIT
// Starting other programs, without a shell, and this one again.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kdbench {

// Runs a program, found as a shell does, whose stdin is empty and whose output goes to these
// descriptors, in the environment of `variables` ("NAME=value"). Returns its exit status, of a
// signal 128 and its number. A machine error where it cannot be started.
int run_child(std::vector<std::string> words, std::vector<std::string> variables, int output,
              int errors);

// "NAME=value", as they were when this process began: MPI adds to them what children must not
// inherit.
std::vector<std::string> first_environment();

// Of this process, to start it again.
std::filesystem::path program_path();

}  // namespace kdbench
