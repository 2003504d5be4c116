// SPDX-License-Identifier: MIT
// Tasks of the user's own, for verbs that take no experiment: an experiment file declares them.
#pragma once

#include <string>

#include "io/tasks/task.h"
#include "suite/verbs/verb.h"

namespace kdbench {

struct OwnTaskOptions {
  std::string declared_in;  // an experiment file, or ""
  OwnTasks tasks;
};

// --declared-in.
void add_own_task_options(CLI::App& app, OwnTaskOptions& options);
// Adds the tasks that the file declares; its mistakes go to `problems`. Local.
void read_own_tasks(OwnTaskOptions& options, Problems& problems);

}  // namespace kdbench
