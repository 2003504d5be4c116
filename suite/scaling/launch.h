// SPDX-License-Identifier: MIT
// Starts programs on several ranks, as a user would from a shell.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kdbench {

// The words of a launcher such as "mpirun -n {ranks}", with the number put in. Throws a user error
// where {ranks} does not stand in it.
std::vector<std::string> launcher_words(const std::string& launcher, int ranks);

// Runs a program, found as a shell does, without one; what it says goes to the end of `log`.
// Returns its exit status, of a signal 128 and its number. A machine error where it cannot be
// started.
int run_program_of(const std::vector<std::string>& words, const std::filesystem::path& log);

}  // namespace kdbench
