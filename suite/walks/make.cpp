// SPDX-License-Identifier: MIT
#include "suite/walks/make.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <thread>

#include "io/base/error.h"
#include "suite/machine/cpu_watch.h"
#include "suite/machine/stopwatch.h"
#include "suite/models/model_checks.h"
#include "suite/stages/experiment_graph.h"
#include "suite/training/progress.h"

namespace kdbench {
namespace {

constexpr std::chrono::milliseconds kLeastWatch{300};
// Between two looks at what other jobs are making.
constexpr std::chrono::milliseconds kLeastPause{200}, kMostPause{2000};

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

// `counted`: a kind; "" for all.
void count(const Stage& stage, const Outcome& outcome, const std::string& counted,
           ExperimentRuns& runs) {
  if (!outcome.record.empty()) runs.runs.push_back(outcome.record);
  if (!counted.empty() && stage.kind() != counted) return;
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

// How it stands, its needs done, on every rank. Collective.
StageState state_of(Stage& stage, const Workspace& workspace) {
  // On all ranks, before one of them looks. Without a name it cannot have been made.
  if (stage.name(workspace).empty()) return {};
  const auto found = from_root(workspace.control, [&]() -> nlohmann::json {
    const StageState state = stage.look(workspace);
    return {static_cast<int>(state.kind), state.who, state.since, state.why};
  });
  return {static_cast<StageState::Kind>(found[0].get<int>()), found[1].get<std::string>(),
          found[2].get<std::string>(), found[3].get<std::string>()};
}

// What is asked for, needs first.
std::vector<Stage*> targets_of(ExperimentGraph& graph, const std::set<StageGroup>& groups) {
  if (groups.empty()) return graph.targets();
  std::set<const Stage*> needed;
  for (const Stage* target : graph.targets()) needed.merge(with_needs(*target));
  const auto group = groups_of(graph.graph());
  std::vector<Stage*> targets;
  for (const auto& stage : graph.graph().stages()) {
    if (needed.contains(stage.get()) && groups.contains(group.at(stage.get())))
      targets.push_back(stage.get());
  }
  return targets;
}

// One way through what is left.
struct Pass {
  std::vector<Stage*> busy;  // other jobs are at work on it, or on what it needs
  std::string awaited;       // the first of that
  bool made = false;         // anything, here
};

Pass make_free(const std::vector<Stage*>& targets, Maker& maker, const std::set<Stage*>& all) {
  Pass pass;
  const Stage* last = nullptr;
  for (Stage* target : targets) {
    // What one task has in memory the next one does not need.
    if (last && last->task() != target->task()) release_all(all);
    last = target;
    const Outcome outcome = maker.make(*target, IfBusy::kLeave);
    pass.made = pass.made || outcome.kind == Outcome::Kind::kMade;
    if (outcome.kind != Outcome::Kind::kBusy) continue;
    pass.busy.push_back(target);
    if (pass.awaited.empty()) pass.awaited = outcome.why;
  }
  return pass;
}

// All of them, by this job and those that share its folder.
void make_all(const std::vector<Stage*>& targets, Maker& maker, const std::set<Stage*>& all,
              const Workspace& workspace) {
  auto pause = kLeastPause;
  for (Pass pass = make_free(targets, maker, all); !pass.busy.empty();
       pass = make_free(pass.busy, maker, all)) {
    pause = pass.made ? kLeastPause : std::min(2 * pause, kMostPause);
    if (pass.made) continue;
    workspace.say_once("waiting for " + pass.awaited);
    // Not in MPI, where waiting ranks would take the cores of those that work.
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

Outcome Maker::make(Stage& stage, IfBusy if_busy) {
  const auto found = outcomes_.find(&stage);
  if (found != outcomes_.end()) return found->second;
  Outcome outcome = made(stage, if_busy);
  if (outcome.kind == Outcome::Kind::kBusy) return outcome;
  awaited_.erase(&stage);
  return outcomes_.emplace(&stage, std::move(outcome)).first->second;
}

Outcome Maker::made(Stage& stage, IfBusy if_busy) {
  const bool replaced = existing_ == Existing::kReplace;
  if (replaced) if_busy = IfBusy::kWait;
  if (!replaced && stage.done(workspace_)) return stage.make(workspace_);
  if (replaced) stage.discard(workspace_);  // by what its needs are now
  for (Stage* need : stage.needs()) {
    const Outcome outcome = make(*need, if_busy);
    if (outcome.kind == Outcome::Kind::kBusy) return outcome;
    if (outcome.kind == Outcome::Kind::kFailed)
      return stage.skip(need_failed(*need, outcome.why), workspace_);
  }
  if (if_busy == IfBusy::kLeave) {
    const StageState state = state_of(stage, workspace_);
    if (state.kind == StageState::Kind::kRunning) {
      elsewhere_.try_emplace(&stage, state.since);
      return {Outcome::Kind::kBusy,
              {},
              fmt::format("{} {} ({}), being made by {}", stage.kind(), stage.title(),
                          stage.name(workspace_), state.who)};
    }
    // Once is enough for all jobs that share the work; a failure from before is none of theirs.
    const auto seen = elsewhere_.find(&stage);
    if (state.kind == StageState::Kind::kFailed && seen != elsewhere_.end() &&
        state.since >= seen->second)
      return {Outcome::Kind::kFailed, {}, state.why};
  }
  say_progress(stage);
  if (replaced) stage.discard(workspace_);  // they may be others now, and the name another
  return stage.make(workspace_, if_busy);
}

void Maker::announce(const std::vector<Stage*>& undone) {
  std::copy_if(undone.begin(), undone.end(), std::inserter(awaited_, awaited_.end()),
               [](const Stage* stage) { return stage->leaves_run(); });
  announced_ = awaited_.size();
  started_ = std::chrono::steady_clock::now();
}

void Maker::say_progress(const Stage& stage) {
  if (!awaited_.contains(&stage)) return;
  const size_t made = announced_ - awaited_.size();
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
                               const Selection& selection, ExperimentPart part, Existing existing,
                               const std::set<StageGroup>& groups) {
  const CpuWatch watch(workspace.control, workspace.threads);
  Maker maker(workspace, existing);
  Problems problems;
  ExperimentGraph graph(
      experiment, selection, part, least_budget(workspace), workspace,
      [&](Stage& stage) { require_made(stage, maker.make(stage)); }, problems);
  const std::vector<Stage*> targets = targets_of(graph, groups);
  const auto undone =
      check_stages(targets, problems, experiment.file.string(), workspace, existing);
  if (!undone.empty()) warn_of_shared_cpus(watch, workspace);
  ExperimentRuns runs;
  runs.folder = workspace.out / experiment.name;
  const std::string counted = part == ExperimentPart::kTeachers ? kTeacher
                              : groups.empty()                  ? "run"
                                                                : "";
  std::set<Stage*> all;
  for (const auto& stage : graph.graph().stages()) all.insert(stage.get());
  maker.announce(undone);
  make_all(targets, maker, all, workspace);
  for (Stage* target : targets) count(*target, maker.make(*target), counted, runs);
  return runs;
}

}  // namespace kdbench
