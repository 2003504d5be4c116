// SPDX-License-Identifier: MIT
#include "reports/run_group.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "reports/run_settings.h"
#include "reports/statistics.h"

namespace kdbench {
namespace {

using nlohmann::json;

// A group while it is being filled.
struct Draft {
  RunGroup group;
  Settings settings;
};

// The run's own group, empty yet.
Draft draft_of(const json& run) {
  Draft draft;
  draft.group.experiment = text_of(run, "experiment");
  draft.group.task = shown_task(run);
  draft.group.label = text_of(run, "label");
  draft.group.method = text_of(run, "method");
  draft.group.teacher = is_teacher(run);
  draft.group.assistant = is_assistant(run);
  draft.group.selected = text_of(run, "checkpoint") == "best";
  draft.group.grid = text_of(run, "grid/label");
  draft.group.point = texts_at(run, "grid/point");
  draft.settings = settings_of(run);
  return draft;
}

// Groups while runs are added, in the order in which they appear.
class Drafts {
 public:
  // The group of a run, a new one if need be. A run that never began has no settings: it counts
  // with the first of its label.
  RunGroup& place(const json& run) {
    Draft own = draft_of(run);
    const RunGroup& group = own.group;
    const Name name{group.experiment, group.task, group.label, group.teacher, group.assistant};
    const auto known = places_.find({name, own.settings});
    if (known != places_.end()) return drafts_[known->second].group;
    const auto [namesake, first] = first_.try_emplace(name, drafts_.size());
    if (!first && own.settings.empty()) return drafts_[namesake->second].group;
    places_[{name, own.settings}] = drafts_.size();
    drafts_.push_back(std::move(own));
    return drafts_.back().group;
  }

  std::vector<Draft> take() && { return std::move(drafts_); }

 private:
  using Name = std::tuple<std::string, std::string, std::string, bool, bool>;

  std::vector<Draft> drafts_;
  std::map<std::pair<Name, Settings>, size_t> places_;
  std::map<Name, size_t> first_;
};

// Done runs must come first: an attempt that failed does not count once its seed is done.
void add_run(const json& run, RunGroup& group) {
  const auto seed = seed_of(run);
  const bool there = std::any_of(group.done.begin(), group.done.end(),
                                 [&](const json* other) { return seed_of(*other) == seed; });
  if (!is_done(run)) {
    if (!there) ++(text_of(run, "status") == "stopped" ? group.stopped : group.failed);
  } else if (there) {
    ++group.repeated;
  } else {
    group.done.push_back(&run);
  }
}

// Gives groups of one label names that say how they differ.
void tell_apart(const std::vector<Draft*>& drafts) {
  std::vector<Settings> settings;
  for (const Draft* draft : drafts) settings.push_back(draft->settings);
  const auto names = names_of_differences(settings);
  for (size_t i = 0; i < drafts.size(); ++i) {
    RunGroup& group = drafts[i]->group;
    group.difference = " [" + names[i] + "]";
    group.label += group.difference;
  }
}

void tell_namesakes_apart(std::vector<Draft>& drafts) {
  std::map<std::tuple<std::string, std::string, std::string, bool>, std::vector<Draft*>> names;
  for (auto& draft : drafts) {
    const RunGroup& group = draft.group;
    names[{group.experiment, group.task, group.label, group.student()}].push_back(&draft);
  }
  for (const auto& [name, same] : names) {
    if (same.size() > 1) tell_apart(same);
  }
}

// Teachers, then assistants, plain fine-tuning and its variants, and the methods.
int rank_of(const RunGroup& group) {
  if (group.teacher) return 0;
  if (group.assistant) return 1;
  if (group.method != "finetune") return 4;
  return group.label == group.method ? 2 : 3;
}

void sort_drafts(const std::vector<json>& runs, std::vector<Draft>& drafts) {
  std::map<std::pair<std::string, std::string>, size_t> tasks;  // in order of first appearance
  for (const auto& run : runs) {
    tasks.try_emplace({text_of(run, "experiment"), shown_task(run)}, tasks.size());
  }
  std::stable_sort(drafts.begin(), drafts.end(), [&](const Draft& left, const Draft& right) {
    const RunGroup &a = left.group, &b = right.group;
    if (!a.same_task(b)) return tasks[{a.experiment, a.task}] < tasks[{b.experiment, b.task}];
    return rank_of(a) < rank_of(b);
  });
}

}  // namespace

std::vector<double> RunGroup::metric(const std::string& name, const std::string& checkpoint) const {
  std::vector<double> values;
  for (const json* run : done) {
    const auto metrics = metrics_of(*run, checkpoint);
    const auto it = metrics.find(name);
    if (it != metrics.end()) values.push_back(it->second);
  }
  return values;
}

std::optional<double> RunGroup::mean_of(const std::string& path) const {
  std::vector<double> values;
  for (const json* run : done) {
    if (const auto value = number_at(*run, path)) values.push_back(*value);
  }
  return values.empty() ? std::nullopt : std::optional(mean(values));
}

Rate RunGroup::rate(const std::string& path, const std::string& seconds) const {
  Rate rate;
  for (const json* run : done) rate.add(*run, path, seconds);
  return rate;
}

void RunGroup::add_machines(std::set<std::string>& machines) const {
  for (const json* run : done) machines.insert(machine_of(*run));
}

std::vector<RunGroup> group_runs(const std::vector<json>& runs) {
  Drafts placed;
  for (const bool done : {true, false}) {
    for (const auto& run : runs) {
      if (is_language_model(run) || text_of(run, "task").empty()) continue;
      if (is_done(run) == done) add_run(run, placed.place(run));
    }
  }
  std::vector<Draft> drafts = std::move(placed).take();
  sort_drafts(runs, drafts);
  tell_namesakes_apart(drafts);
  std::vector<RunGroup> groups;
  for (auto& draft : drafts) {
    std::sort(draft.group.done.begin(), draft.group.done.end(),
              [](const json* a, const json* b) { return seed_of(*a) < seed_of(*b); });
    groups.push_back(std::move(draft.group));
  }
  return groups;
}

bool of_other_split(const std::string& metric) { return metric.find(' ') != std::string::npos; }

std::vector<std::string> metric_names(const std::vector<RunGroup>& groups,
                                      const std::string& checkpoint) {
  std::set<std::pair<bool, std::string>> names;
  for (const auto& group : groups) {
    for (const json* run : group.done) {
      const auto metrics = metrics_of(*run, checkpoint);
      for (const auto& [name, value] : metrics) names.insert({of_other_split(name), name});
    }
  }
  std::vector<std::string> sorted;
  for (const auto& [other, name] : names) sorted.push_back(name);
  return sorted;
}

}  // namespace kdbench
