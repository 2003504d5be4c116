// SPDX-License-Identifier: MIT
// What a verb of the program is: a name, a line of help, and a function that declares its options
// and returns what it does. One file a verb; the list is registry.cpp.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "io/base/error.h"
#include "suite/ranks/control.h"
#include "suite/verbs/answer.h"

namespace kdbench {

struct VerbContext {
  const Control& control;
  std::string command;  // the whole command line, for run.json
  Answer& answer;       // what it says on stdout, from the root rank
};

// Runs the verb on every rank (collective); throws Errors. Errors of a single rank end the job,
// those marked on_every_rank (Control::agree, Control::on_root) are printed once.
using VerbAction = std::function<ExitCode(const VerbContext&)>;

struct Verb {
  std::string name;
  std::string help;  // one line
  // Declares options and flags; the action sees their values (it owns them).
  std::function<VerbAction(CLI::App&)> declare;
  // One process does it without MPI, which may not start where a job's variables stand without its
  // launcher. Of several ranks the first does it.
  bool alone = false;
  bool json_lines = false;  // stdout is for programs as it is: without --json
};

const std::vector<Verb>& all_verbs();

}  // namespace kdbench
