// SPDX-License-Identifier: MIT
#include "suite/graph/stage_groups.h"

#include <algorithm>

#include "io/base/error.h"

namespace kdbench {
namespace {

void add_with_needs(const Stage& stage, std::set<const Stage*>& found) {
  if (!found.insert(&stage).second) return;
  for (const Stage* need : stage.needs()) add_with_needs(*need, found);
}

// Trained on what another model says.
bool learns_from_a_model(const Stage& stage, const std::set<const Stage*>& prepared) {
  const auto needed = with_needs(stage);
  return std::any_of(needed.begin(), needed.end(), [&](const Stage* need) {
    return need != &stage && need->leaves_run() && !prepared.contains(need);
  });
}

StageGroup group_of(const Stage& stage, const std::set<const Stage*>& prepared) {
  if (prepared.contains(&stage)) return StageGroup::kPrepare;
  if (stage.kind() == "run") return StageGroup::kStudents;
  if (!stage.leaves_run()) return StageGroup::kOutputs;
  return learns_from_a_model(stage, prepared) ? StageGroup::kAssistants : StageGroup::kTeachers;
}

}  // namespace

std::string group_name(StageGroup group) {
  switch (group) {
    case StageGroup::kPrepare:
      return "prepare";
    case StageGroup::kTeachers:
      return "teachers";
    case StageGroup::kAssistants:
      return "assistants";
    case StageGroup::kOutputs:
      return "outputs";
    case StageGroup::kStudents:
      return "students";
  }
  return "";
}

std::vector<std::string> group_names() {
  std::vector<std::string> names;
  for (const StageGroup group : kStageGroups) names.push_back(group_name(group));
  return names;
}

StageGroup find_group(const std::string& name) {
  for (const StageGroup group : kStageGroups) {
    if (group_name(group) == name) return group;
  }
  throw_user_error("--stages " + name, "there are no such stages",
                   did_you_mean(name, group_names()));
}

std::set<const Stage*> with_needs(const Stage& stage) {
  std::set<const Stage*> found;
  add_with_needs(stage, found);
  return found;
}

std::map<const Stage*, StageGroup> groups_of(const Graph& graph) {
  std::set<const Stage*> prepared;
  for (const auto& stage : graph.stages()) {
    if (stage->prepares_data()) add_with_needs(*stage, prepared);
  }
  std::map<const Stage*, StageGroup> groups;
  for (const auto& stage : graph.stages()) groups[stage.get()] = group_of(*stage, prepared);
  return groups;
}

}  // namespace kdbench
