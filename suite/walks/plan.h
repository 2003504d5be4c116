// SPDX-License-Identifier: MIT
// The walk that only looks: what an experiment would do on a number of ranks, its stages, runs and
// steps, and what they take. Everything is read and checked as for a run, but models have sizes
// without values, nothing is trained, and nothing is written (embedded corpora lie in a temporary
// folder for the time of a plan).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/base/error.h"
#include "suite/config/experiment.h"
#include "suite/config/selection.h"
#include "suite/models/training_costs.h"
#include "suite/ranks/workspace.h"
#include "suite/stages/sources/output_budget.h"
#include "suite/walks/make.h"

namespace kdbench {

// One split of one task, as one tokenizer cuts it.
struct SplitPlan {
  std::string task, split;
  int64_t rows = 0, tokens = 0, longest = 0;  // longest row in tokens
};

// One training, the same for all of its seeds.
struct WorkPlan {
  std::string task, label;  // label: the method's, or "teacher", "assistant"
  std::vector<int64_t> seeds;
  int64_t parameters = 0;
  TrainingCost training;        // of one seed; no phases: the model is scored as it is
  int64_t teacher_outputs = 0;  // bytes in memory, with FSD's memory of features
  double teacher_flops = 0.0;   // of one seed: of a teacher that runs beside it

  double flops() const { return training.flops + teacher_flops; }
};

// One thing on the disk: a shared stage, or a run.
struct StagePlan {
  std::string kind;  // synthetic | features | teacher | teacher-outputs | feature-memory | run
  std::string what;  // "MRPC", "MRPC seed 1", "MRPC kd seed 1"
  std::string name;  // hash or run id; empty: it depends on weights that do not exist yet
  bool reused = false;
  int64_t bytes = 0;     // about
  double flops = 0.0;    // of all ranks, to make it
  double seconds = 0.0;  // to make it, on ranks like this one
  // Where it trains: the method's label ("teacher", "assistant") and the seed.
  std::string label = {};
  int64_t seed = 0;
  int64_t rank_bytes = 0;    // of a rank while it is made, beside the program and all rows
  int64_t shared_bytes = 0;  // of a copy of the rows of its task, and of the outputs it takes
};

// What the machine has for it. Without a launcher's word on hosts, ranks beyond one per core are
// taken to be on other hosts like this one.
struct PlanLimits {
  int ranks_per_host = 1;
  int64_t available_memory = 0;       // of this host
  int64_t free_disk = 0;              // where the results go
  double flops_per_s = 0.0;           // of a rank, in matrix products
  double training_flops_per_s = 0.0;  // of a rank, in training
  int copies = 1;                     // of rows and outputs in this host's memory
  OutputBudget outputs;               // of teacher_outputs = "auto"
};

struct Plan {
  int ranks = 1;
  std::vector<SplitPlan> splits;
  std::vector<WorkPlan> work;
  std::vector<StagePlan> stages;
  PlanLimits limits;
  int64_t program_bytes = 0;   // of a rank before it has read anything
  int64_t training_bytes = 0;  // of a rank, in its largest training
  int64_t shared_bytes = 0;    // of a copy of the rows of a task, and of stored outputs, at most

  // Of a host while the largest training is under way on all of its ranks.
  int64_t host_bytes() const { return host_bytes(training_bytes, shared_bytes); }
  // The same of a stage's rank_bytes and shared_bytes.
  int64_t host_bytes(int64_t rank, int64_t shared) const {
    return limits.ranks_per_host * (program_bytes + rank) + limits.copies * shared;
  }
  // Of all that is still to be made.
  int64_t new_disk_bytes() const;
  double seconds() const;
};

// For which machine to plan; 0: as this one is.
struct PlanTarget {
  int ranks = 1;
  int ranks_per_host = 0;
  int64_t memory_bytes = 0;           // of a host
  int64_t disk_bytes = 0;             // where the results go
  double flops_per_s = 0.0;           // of a rank, in matrix products
  double training_flops_per_s = 0.0;  // of a rank, in training, as runs like these had it
};

// Of the selected runs, or of the teachers alone. Local. Throws one user error that lists every
// problem of the experiment, its data and its weights.
Plan make_plan(const Experiment& asked, const PlanTarget& target, const Workspace& workspace,
               const Selection& selection = {}, ExperimentPart part = ExperimentPart::kAll,
               Existing existing = Existing::kReuse);

// The same in two parts, for who looks at more of the graph than the plan shows: a plan without
// stages, then those of the graph, in its order. `problems`: those found when it was built.
class Looking;
Plan begin_plan(const PlanTarget& target, const Workspace& workspace);
void add_stages(Looking& looking, const std::string& where, Problems& problems, Plan& plan,
                Existing existing = Existing::kReuse);

}  // namespace kdbench
