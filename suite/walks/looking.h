// SPDX-License-Identifier: MIT
// An experiment's graph for one process alone that only looks: nothing is made or written.
#pragma once

#include "suite/stages/experiment_graph.h"

namespace kdbench {

// Everything in it lives as long as it does.
class Looking {
 public:
  // User errors of the experiment's files go to `problems`. Local.
  Looking(const Experiment& experiment, OutputBudget budget, const Workspace& workspace,
          Problems& problems)
      : workspace_{alone_,
                   *collectives_,
                   at::kMeta,
                   workspace.threads,
                   workspace.out,
                   workspace.command,
                   std::make_shared<Log>(true, "")},
        graph_(
            experiment, {}, ExperimentPart::kAll, budget, workspace_, [](Stage&) {}, problems) {}

  ExperimentGraph& experiment() { return graph_; }
  const Graph& graph() { return graph_.graph(); }
  const Workspace& workspace() const { return workspace_; }

 private:
  const Control alone_{MPI_COMM_SELF};
  const std::unique_ptr<Collectives> collectives_ = make_single_collectives();
  const Workspace workspace_;
  ExperimentGraph graph_;
};

}  // namespace kdbench
