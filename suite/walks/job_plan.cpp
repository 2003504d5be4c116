// SPDX-License-Identifier: MIT
#include "suite/walks/job_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "io/base/look.h"
#include "reports/run_fields.h"
#include "reports/run_files.h"
#include "suite/walks/looking.h"

namespace kdbench {
namespace {

// A stage with what the plan and a look at the results know of it.
struct KnownStage {
  const Stage* stage = nullptr;
  StageGroup group = StageGroup::kPrepare;
  const StagePlan* plan = nullptr;
  StageState state;

  bool done() const { return state.kind == StageState::Kind::kDone; }
};

// What one call may make: the stages of a group that a selection reaches.
struct Candidate {
  std::string task, label;
  int64_t seed = 0;
  std::vector<size_t> stages;
};

std::vector<KnownStage> known_stages(Looking& looking, const Plan& plan) {
  const auto groups = groups_of(looking.graph());
  std::vector<KnownStage> known;
  for (size_t i = 0; i < plan.stages.size(); ++i) {
    Stage& stage = *looking.graph().stages()[i];
    known.push_back({&stage, groups.at(&stage), &plan.stages[i], stage.look(looking.workspace())});
  }
  return known;
}

class JobPlanner {
 public:
  JobPlanner(std::vector<KnownStage> stages, std::vector<std::string> tasks, const Plan& plan)
      : stages_(std::move(stages)), tasks_(std::move(tasks)), plan_(plan) {
    for (size_t i = 0; i < stages_.size(); ++i) index_[stages_[i].stage] = i;
    for (const auto& known : stages_) {
      std::set<size_t> needs;
      for (const Stage* need : with_needs(*known.stage)) needs.insert(index_.at(need));
      needs_.push_back(std::move(needs));
    }
  }

  std::vector<JobGroup> groups() {
    std::vector<JobGroup> groups;
    for (const StageGroup group : kStageGroups) {
      const auto chosen = cover(candidates(group));
      if (chosen.empty()) continue;
      JobGroup made;
      made.group = group;
      for (const auto& candidate : chosen) add_unit(candidate, made);
      groups.push_back(std::move(made));
    }
    return groups;
  }

 private:
  std::vector<Candidate> candidates(StageGroup group) const {
    return group == StageGroup::kPrepare ? by_task() : by_student(group);
  }

  // What serves all tasks (the embedded corpora) goes with the first.
  std::vector<Candidate> by_task() const {
    std::vector<Candidate> found;
    for (const auto& task : tasks_) {
      Candidate candidate{task, "", 0, {}};
      for (size_t i = 0; i < stages_.size(); ++i) {
        const std::string& own = stages_[i].stage->task();
        if (stages_[i].group == StageGroup::kPrepare && (own == task || own.empty()))
          candidate.stages.push_back(i);
      }
      found.push_back(std::move(candidate));
    }
    return found;
  }

  std::vector<Candidate> by_student(StageGroup group) const {
    std::vector<Candidate> found;
    for (size_t i = 0; i < stages_.size(); ++i) {
      if (stages_[i].group != StageGroup::kStudents) continue;
      Candidate candidate{
          stages_[i].stage->task(), stages_[i].plan->label, stages_[i].plan->seed, {}};
      for (const size_t need : needs_[i]) {
        if (stages_[need].group == group) candidate.stages.push_back(need);
      }
      found.push_back(std::move(candidate));
    }
    return found;
  }

  // Few of them that reach all, each stage in one: always the one that adds most, the first of
  // equals. In their own order.
  static std::vector<Candidate> cover(std::vector<Candidate> candidates) {
    std::set<size_t> covered, chosen;
    std::vector<std::vector<size_t>> own(candidates.size());
    while (true) {
      size_t best = 0;
      std::vector<size_t> most;
      for (size_t i = 0; i < candidates.size(); ++i) {
        if (candidates[i].stages.size() <= most.size()) continue;
        std::vector<size_t> adds;
        std::copy_if(candidates[i].stages.begin(), candidates[i].stages.end(),
                     std::back_inserter(adds),
                     [&](size_t stage) { return !covered.contains(stage); });
        if (adds.size() > most.size()) {
          best = i;
          most = std::move(adds);
        }
      }
      if (most.empty()) break;
      covered.insert(most.begin(), most.end());
      chosen.insert(best);
      own[best] = std::move(most);
    }
    std::vector<Candidate> found;
    for (const size_t i : chosen) {
      candidates[i].stages = std::move(own[i]);
      found.push_back(std::move(candidates[i]));
    }
    return found;
  }

  void add_unit(const Candidate& candidate, JobGroup& group) {
    JobUnit unit{candidate.task, candidate.label, candidate.seed, "done", "", 0.0, {}};
    std::set<std::pair<StageGroup, size_t>> after;
    for (const size_t i : candidate.stages) {
      const KnownStage& known = stages_[i];
      for (const size_t need : needs_[i]) {
        const auto maker = makers_.find(need);
        if (maker != makers_.end() && !stages_[need].done()) after.insert(maker->second);
      }
      group.computes = group.computes || known.plan->flops > 0;
      group.host_bytes = std::max(
          group.host_bytes, plan_.host_bytes(known.plan->rank_bytes, known.plan->shared_bytes));
      if (known.done()) continue;
      unit.seconds += known.plan->seconds;
      take_state(known, unit);
    }
    const std::pair place{group.group, group.units.size()};
    for (const size_t i : candidate.stages) makers_.emplace(i, place);
    unit.after.assign(after.begin(), after.end());
    group.seconds = std::max(group.seconds, unit.seconds);
    group.units.push_back(std::move(unit));
  }

  // The worst of its stages' states.
  static void take_state(const KnownStage& known, JobUnit& unit) {
    const StageState& found = known.state;
    if (found.kind == StageState::Kind::kFailed) {
      unit.state = "failed";
      unit.why = found.why;
    } else if (found.kind == StageState::Kind::kRunning && unit.state != "failed") {
      unit.state = "running";
      unit.why = found.who;
    } else if (unit.state == "done") {
      unit.state = "missing";
    }
  }

  const std::vector<KnownStage> stages_;
  const std::vector<std::string> tasks_;
  const Plan& plan_;
  std::map<const Stage*, size_t> index_;
  std::vector<std::set<size_t>> needs_;                     // of each stage, itself among them
  std::map<size_t, std::pair<StageGroup, size_t>> makers_;  // of stages in the groups so far
};

}  // namespace

std::string JobUnit::name() const {
  return label.empty() ? task : fmt::format("{} {} seed {}", task, label, seed);
}

std::vector<JobGroup> plan_jobs(const Experiment& experiment, const Selection& selection,
                                const PlanTarget& target, const Workspace& workspace) {
  Plan plan = begin_plan(target, workspace);
  Problems problems;
  Looking looking(experiment, selection, ExperimentPart::kAll, plan.limits.outputs, workspace,
                  problems);
  add_stages(looking, experiment.file.string(), problems, plan);
  return JobPlanner(known_stages(looking, plan), selected_tasks(selection, experiment), plan)
      .groups();
}

Measured measured_runs(const std::filesystem::path& folder, const std::string& device) {
  Measured measured;
  if (!is_folder(folder)) return measured;
  std::vector<nlohmann::json> runs;
  Problems none;  // of a folder without runs
  none.collect([&] { runs = read_runs({folder}, LostRecords::kList); });
  std::vector<double> speeds;
  for (const auto& run : runs) {
    if (!is_done(run) || text_of(run, "system/device").rfind(device, 0) != 0) continue;
    const auto peak = static_cast<int64_t>(number_at(run, "peak_memory_bytes").value_or(0.0));
    measured.rank_bytes = std::max(measured.rank_bytes, peak);
    const double rate = number_at(run, "throughput/model_flops_per_s_global").value_or(0.0);
    const double training = number_at(run, "time/train_s").value_or(0.0);
    if (rate * training <= 0.0) continue;
    double all = training;
    for (const char* part : {"time/init_s", "time/eval_s", "time/predict_s"}) {
      all += number_at(run, part).value_or(0.0);
    }
    speeds.push_back(rate * training / all / number_at(run, "system/ranks").value_or(1.0));
  }
  if (speeds.empty()) return measured;
  const auto middle = speeds.begin() + static_cast<int64_t>(speeds.size() / 2);
  std::nth_element(speeds.begin(), middle, speeds.end());
  measured.flops_per_s = *middle;
  return measured;
}

}  // namespace kdbench
