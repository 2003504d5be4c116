// SPDX-License-Identifier: MIT
#include "suite/verbs/own_tasks.h"

#include "suite/config/experiment.h"

namespace kdbench {

void add_own_task_options(CLI::App& app, OwnTaskOptions& options) {
  app.add_option("--declared-in", options.declared_in,
                 "experiment file whose [task.<NAME>] declare tasks of your own");
}

void read_own_tasks(OwnTaskOptions& options, Problems& problems) {
  if (options.declared_in.empty()) return;
  problems.collect([&] {
    for (auto& task : declared_tasks(options.declared_in)) options.tasks.push_back(std::move(task));
  });
}

}  // namespace kdbench
