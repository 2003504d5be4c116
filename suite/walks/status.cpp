// SPDX-License-Identifier: MIT
#include "suite/walks/status.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "io/base/error.h"
#include "io/base/text.h"
#include "reports/table.h"
#include "suite/walks/looking.h"

namespace kdbench {
namespace {

const char* name_of(StageState::Kind kind) {
  switch (kind) {
    case StageState::Kind::kDone:
      return "done";
    case StageState::Kind::kRunning:
      return "running";
    case StageState::Kind::kFailed:
      return "failed";
    default:
      return "missing";
  }
}

// In the order of the graph, so that needs come first.
class Watcher {
 public:
  explicit Watcher(const Workspace& workspace) : workspace_(workspace) {}

  StageStatus look(Stage& stage) {
    const StageState found = stage.look(workspace_);
    done_[&stage] = found.kind == StageState::Kind::kDone;
    StageStatus status{stage.kind(), stage.title(),       stage.name(workspace_),
                       "",           name_of(found.kind), found.who,
                       found.since,  found.why,           {}};
    if (!status.name.empty()) {
      status.folder = stage.folder(workspace_).lexically_relative(workspace_.out).string();
    }
    if (found.kind == StageState::Kind::kDone || found.kind == StageState::Kind::kRunning) {
      return status;
    }
    for (const Stage* need : next_needs(stage)) {
      status.waiting_for.push_back(need->kind() + " " + need->title());
    }
    if (found.kind == StageState::Kind::kMissing && !status.waiting_for.empty()) {
      status.state = "waiting";
    }
    return status;
  }

 private:
  // Of what it needs and is not done, what no other such need waits for itself.
  std::vector<const Stage*> next_needs(const Stage& stage) const {
    std::set<const Stage*> sooner;
    std::vector<const Stage*> undone;
    for (const Stage* need : stage.needs()) {
      if (done_.at(need)) continue;
      undone.push_back(need);
      sooner.insert(need->needs().begin(), need->needs().end());
    }
    std::erase_if(undone, [&](const Stage* need) { return sooner.contains(need); });
    return undone;
  }

  const Workspace& workspace_;
  std::map<const Stage*, bool> done_;
};

std::string detail_of(const StageStatus& stage) {
  if (stage.state == "running") return fmt::format("{} since {}", stage.who, stage.since);
  if (stage.state == "failed") return fmt::format("{}, {}", stage.since, stage.why);
  if (stage.state == "waiting") return "for " + joined(stage.waiting_for, ", ");
  return "";
}

}  // namespace

std::vector<StageStatus> status_of(const Experiment& experiment, const Workspace& workspace,
                                   const Selection& selection) {
  Problems problems;
  Looking looking(experiment, selection, ExperimentPart::kAll,
                  output_budget(workspace.out, workspace.control.host().copies()), workspace,
                  problems);
  throw_each_once(problems, experiment.file.string());
  Watcher watcher(looking.workspace());
  std::vector<StageStatus> found;
  for (const auto& stage : looking.graph().stages()) found.push_back(watcher.look(*stage));
  return found;
}

std::string status_text(const std::vector<StageStatus>& stages) {
  Table table;
  table.header = {"stage", "of", "name", "state", "detail"};
  std::map<std::string, int> count;
  for (const auto& stage : stages) {
    ++count[stage.state];
    table.rows.push_back({stage.kind, stage.what, stage.name.empty() ? "-" : stage.name,
                          stage.state, detail_of(stage)});
  }
  std::vector<std::string> sums;
  for (const char* state : {"done", "running", "failed", "waiting", "missing"}) {
    sums.push_back(fmt::format("{} {}", count[state], state));
  }
  return write_console(table) + "\n" + joined(sums, ", ") + "\n";
}

nlohmann::json status_json(const Experiment& experiment, const std::vector<StageStatus>& stages) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& stage : stages) {
    nlohmann::json json{{"kind", stage.kind},
                        {"what", stage.what},
                        {"name", stage.name},
                        {"folder", stage.folder},
                        {"state", stage.state}};
    if (!stage.who.empty()) json["who"] = stage.who;
    if (!stage.since.empty()) json["since"] = stage.since;
    if (!stage.why.empty()) json["why"] = stage.why;
    if (!stage.waiting_for.empty()) json["waiting_for"] = stage.waiting_for;
    list.push_back(std::move(json));
  }
  return {{"experiment", experiment.name}, {"stages", std::move(list)}};
}

}  // namespace kdbench
