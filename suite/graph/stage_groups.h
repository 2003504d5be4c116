// SPDX-License-Identifier: MIT
// The stages of an experiment in groups that people name and that jobs make one after the other: a
// stage's needs are in its own group or in those before it, but for what an assistant learns from.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "suite/graph/graph.h"

namespace kdbench {

enum class StageGroup {
  kPrepare,     // data as rows, transfer sets, the language models that write them
  kTeachers,    // models that others learn from, and that learn from no other
  kAssistants,  // those that learn from another model
  kOutputs,     // what such models say, stored
  kStudents     // runs
};

inline constexpr std::array kStageGroups{StageGroup::kPrepare, StageGroup::kTeachers,
                                         StageGroup::kAssistants, StageGroup::kOutputs,
                                         StageGroup::kStudents};

// "prepare", "teachers", "assistants", "outputs", "students".
std::string group_name(StageGroup group);
std::vector<std::string> group_names();
// Throws a user error.
StageGroup find_group(const std::string& name);

// The stage and all that it needs.
std::set<const Stage*> with_needs(const Stage& stage);

// Of every stage of the graph, by what it is and what needs it.
std::map<const Stage*, StageGroup> groups_of(const Graph& graph);

}  // namespace kdbench
