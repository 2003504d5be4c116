// SPDX-License-Identifier: MIT
// One piece of an experiment's work, stated once: what it depends on, what must be there before it,
// where its result lies, what it costs, how its inputs are checked and how it is made. Everything
// that is done with an experiment (run, dry run, status) is a walk over its stages.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/base/error.h"
#include "suite/graph/stage_state.h"
#include "suite/graph/stage_store.h"
#include "suite/models/model_checks.h"
#include "suite/models/training_costs.h"
#include "suite/ranks/workspace.h"

namespace kdbench {

// Rows of one split, as one tokenizer cuts them.
struct SplitSize {
  std::string name;
  int64_t rows = 0, tokens = 0, longest = 0;  // longest row in tokens
};

// What tells one training from others: all of its seeds take the same.
struct TrainingWork {
  std::string label;  // the method's, or "teacher", "assistant"
  int64_t seed = 1;
  const TrainingSummary* summary = nullptr;  // lives as long as the TrainingCosts that it is from
  double teacher_flops = 0.0;                // of a teacher that runs beside it
};

// What a stage takes, about.
struct Cost {
  int64_t disk_bytes = 0;         // of what it leaves
  int64_t memory_bytes = 0;       // of one rank while it is made, beside all rows
  int64_t rows_bytes = 0;         // of the rows that it gives, in memory while others use them
  int64_t outputs_bytes = 0;      // of the stored outputs that it takes, in a host's memory
  double flops = 0.0;             // of all ranks together
  std::vector<SplitSize> splits;  // that it gives
  std::optional<TrainingWork> work;
};

// How making it ended.
struct Outcome {
  enum class Kind { kMade, kReused, kFailed, kBusy };
  Kind kind = Kind::kFailed;
  std::filesystem::path record;  // the run's folder, where the stage is a run
  std::string why;               // failed: the reason; busy: what is being made, and by whom
};

// While another job makes a stage.
enum class IfBusy {
  kWait,  // and take what it made
  kLeave  // the outcome is kBusy
};

// What the checks of all stages share.
struct Inspection {
  const Workspace& workspace;
  Problems& problems;  // user errors of all stages
  ModelChecks& models;
  std::set<std::string> read_through;  // large files: once is enough for all stages
};

class Stage {
 public:
  Stage(std::string kind, std::string task, std::string title)
      : kind_(std::move(kind)), task_(std::move(task)), title_(std::move(title)) {}
  virtual ~Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  const std::string& kind() const { return kind_; }    // "features", "teacher", ..., "run"
  const std::string& task() const { return task_; }    // "" where it serves all tasks
  const std::string& title() const { return title_; }  // "MRPC kd seed 1"
  // What must be there before it is made.
  const std::vector<Stage*>& needs() const { return needs_; }
  // The only places where dependencies are stated are the makers of stages, which call this.
  template <typename S>
  S& need(S& stage) {
    add_need(stage);
    return stage;
  }

  // The folder's name, which is made from all that the result depends on; "" while that is weights
  // that do not exist yet. Collective.
  virtual std::string name(const Workspace& workspace) = 0;
  // Where the result lies. Needs a name. Collective.
  virtual std::filesystem::path folder(const Workspace& workspace) = 0;
  // Whether its result is there, whole, and is wherever others look for it. Collective.
  virtual bool done(const Workspace& workspace) = 0;
  // What is found of it. Local; for one process alone.
  virtual StageState look(const Workspace& workspace) = 0;

  // Adds what is wrong with what it reads: the user's files, in full. Everything that it needs and
  // that prepares data is done. Collective.
  virtual void check(Inspection&) {}
  // Makes it, or takes what another job made meanwhile. Its needs are done. Collective.
  virtual Outcome make(const Workspace& workspace, IfBusy if_busy = IfBusy::kWait) = 0;
  // What making it takes. Local, without making anything; for one process alone.
  virtual Cost cost(TrainingCosts& costs, const Workspace& workspace) = 0;

  // Removes its result, if there is one, so that it is made again; waits for a job that is at work
  // on it. Collective.
  virtual void discard(const Workspace& workspace) = 0;
  // Leaves a record that it was not made because one of its needs failed. `why`: need_failed().
  // Collective.
  virtual Outcome skip(const std::string& why, const Workspace& workspace) = 0;
  // Gives back the memory of what was read of it. Local.
  virtual void release() {}

  // It trains or scores a model, and leaves a run's record.
  virtual bool leaves_run() const { return false; }
  // It only turns the user's data into rows: done before anything is checked or trained.
  virtual bool prepares_data() const { return false; }

 private:
  void add_need(Stage& stage);

  std::string kind_, task_, title_;
  std::vector<Stage*> needs_;
};

// "its teacher failed: the loss is not finite ...".
std::string need_failed(const Stage& need, const std::string& why);

// A stage that runs and experiments share: it lies in <out>/.stages/<hash of its key>.
class SharedStage : public Stage {
 public:
  SharedStage(StageKey key, std::string task, std::string title)
      : Stage(key.kind, std::move(task), std::move(title)),
        key_(std::move(key)),
        hash_(key_.hash()) {}

  const StageKey& key() const { return key_; }
  const std::string& hash() const { return hash_; }

  std::string name(const Workspace&) override { return hash_; }
  std::filesystem::path folder(const Workspace& workspace) override {
    return stage_folder(workspace.out, key_);
  }
  // The folder of the finished stage for those who read it: that its files are what was written is
  // checked first, once. Throws a user error. Collective.
  const std::filesystem::path& contents(const Workspace& workspace);
  bool done(const Workspace& workspace) override;
  StageState look(const Workspace& workspace) override;
  Outcome make(const Workspace& workspace, IfBusy if_busy = IfBusy::kWait) override;
  void discard(const Workspace& workspace) override;
  Outcome skip(const std::string& why, const Workspace& workspace) override;

 protected:
  // Leaves the result in `partial`. False when it failed and nothing is to be kept; `failure_` then
  // says why. Collective.
  virtual bool make_in(const std::filesystem::path& partial, const Workspace& workspace) = 0;

  std::string failure_;  // why it could not be made

 private:
  StageKey key_;
  std::string hash_;
  std::filesystem::path checked_;
};

}  // namespace kdbench
