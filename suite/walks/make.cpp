// SPDX-License-Identifier: MIT
#include "suite/walks/make.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <memory>

#include "io/base/error.h"
#include "suite/machine/cpu_watch.h"
#include "suite/machine/stopwatch.h"
#include "suite/models/model_checks.h"
#include "suite/stages/experiment_graph.h"
#include "suite/training/progress.h"

namespace kdbench {
namespace {

constexpr std::chrono::milliseconds kLeastWatch{300};

// What every host has room for.
OutputBudget least_budget(const Workspace& workspace) {
  OutputBudget own;
  workspace.control.agree(
      [&] { own = output_budget(workspace.out, workspace.control.host().copies()); });
  return {workspace.control.min(own.disk), workspace.control.min(own.memory)};
}

// The stage and what it needs, as far as it is to be made.
void collect_undone(Stage& stage, std::vector<Stage*>& undone, std::set<Stage*>& seen,
                    const Workspace& workspace, Existing existing) {
  if (!seen.insert(&stage).second) return;
  if (existing == Existing::kReuse && stage.done(workspace)) return;
  for (Stage* need : stage.needs()) collect_undone(*need, undone, seen, workspace, existing);
  undone.push_back(&stage);
}

void release_all(const std::set<Stage*>& stages) {
  for (Stage* stage : stages) stage->release();
}

// Before hours of work, not after them.
void warn_of_shared_cpus(const CpuWatch& watch, const Workspace& workspace) {
  watch.wait_for(kLeastWatch);
  for (const auto& host : watch.use()) {
    if (host.shared()) workspace.say("warning: " + host.warning());
  }
}

void count(const Stage& stage, const Outcome& outcome, const std::string& counted,
           ExperimentRuns& runs) {
  if (!outcome.record.empty()) runs.runs.push_back(outcome.record);
  // Teachers are counted where nothing else is asked for.
  if (stage.kind() != counted) return;
  if (outcome.kind == Outcome::Kind::kMade) ++runs.done;
  if (outcome.kind == Outcome::Kind::kReused) ++runs.reused;
  if (outcome.kind == Outcome::Kind::kFailed) ++runs.failed;
}

// Rows that cannot be made, as the language model that was to write them failed: nothing is known
// of what would learn from them.
void require_made(const Stage& stage, const Outcome& outcome) {
  if (outcome.kind != Outcome::Kind::kFailed) return;
  Error error(ExitCode::kRunFailed, stage.task() + " " + stage.kind(), outcome.why);
  error.on_every_rank = true;
  throw error;
}

}  // namespace

const Outcome& Maker::make(Stage& stage) {
  const auto found = outcomes_.find(&stage);
  if (found != outcomes_.end()) return found->second;
  return outcomes_.emplace(&stage, made(stage)).first->second;
}

Outcome Maker::made(Stage& stage) {
  const bool replaced = existing_ == Existing::kReplace;
  if (!replaced && stage.done(workspace_)) return stage.make(workspace_);
  if (replaced) stage.discard(workspace_);  // by what its needs are now
  for (Stage* need : stage.needs()) {
    const Outcome& outcome = make(*need);
    if (outcome.kind == Outcome::Kind::kFailed)
      return stage.skip(need_failed(*need, outcome.why), workspace_);
  }
  say_progress(stage);
  if (replaced) stage.discard(workspace_);  // they may be others now, and the name another
  return stage.make(workspace_);
}

void Maker::announce(const std::vector<Stage*>& undone) {
  std::copy_if(undone.begin(), undone.end(), std::inserter(awaited_, awaited_.end()),
               [](const Stage* stage) { return stage->leaves_run(); });
  announced_ = awaited_.size();
  started_ = std::chrono::steady_clock::now();
}

void Maker::say_progress(const Stage& stage) {
  if (awaited_.erase(&stage) == 0) return;
  const size_t made = announced_ - awaited_.size() - 1;
  std::string text = fmt::format("run {} of {}: {}{}", made + 1, announced_,
                                 stage.kind() == "run" ? "" : stage.kind() + " of ", stage.title());
  if (made > 0) {
    const double took = seconds_since(started_);
    const double left = took / static_cast<double>(made) * static_cast<double>(announced_ - made);
    text += fmt::format(" ({} so far, about {} left)", duration_text(took), duration_text(left));
  }
  workspace_.say(text);
}

std::vector<Stage*> check_stages(const std::vector<Stage*>& targets, Problems& problems,
                                 const std::string& where, const Workspace& workspace,
                                 Existing existing) {
  std::vector<Stage*> undone;
  std::set<Stage*> seen;
  for (Stage* target : targets) collect_undone(*target, undone, seen, workspace, existing);
  for (Stage* stage : undone) seen.insert(stage->needs().begin(), stage->needs().end());
  ModelChecks models;
  Inspection inspection{workspace, problems, models, {}};
  const Stage* last = nullptr;
  for (Stage* stage : undone) {
    if (last && last->task() != stage->task()) release_all(seen);
    stage->check(inspection);
    last = stage;
  }
  release_all(seen);
  workspace.control.on_root([&] {
    models.run(problems);
    throw_each_once(problems, where);
  });
  workspace.control.agree([&] { throw_each_once(problems, where); });
  return undone;
}

ExperimentRuns make_experiment(const Experiment& experiment, const Workspace& workspace,
                               const Selection& selection, ExperimentPart part, Existing existing) {
  const CpuWatch watch(workspace.control, workspace.threads);
  Maker maker(workspace, existing);
  Problems problems;
  ExperimentGraph graph(
      experiment, selection, part, least_budget(workspace), workspace,
      [&](Stage& stage) { require_made(stage, maker.make(stage)); }, problems);
  const auto undone =
      check_stages(graph.targets(), problems, experiment.file.string(), workspace, existing);
  if (!undone.empty()) warn_of_shared_cpus(watch, workspace);
  ExperimentRuns runs;
  runs.folder = workspace.out / experiment.name;
  const std::string counted = part == ExperimentPart::kTeachers ? kTeacher : "run";
  std::set<Stage*> all;
  for (const auto& stage : graph.graph().stages()) all.insert(stage.get());
  maker.announce(undone);
  const Stage* last = nullptr;
  for (Stage* target : graph.targets()) {
    // What one task has in memory the next one does not need.
    if (last && last->task() != target->task()) release_all(all);
    count(*target, maker.make(*target), counted, runs);
    last = target;
  }
  return runs;
}

}  // namespace kdbench
