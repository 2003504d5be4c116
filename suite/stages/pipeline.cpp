// SPDX-License-Identifier: MIT
#include "suite/stages/pipeline.h"

#include <algorithm>
#include <map>
#include <optional>

#include "io/base/error.h"
#include "suite/config/method_models.h"
#include "suite/stages/assistant.h"
#include "suite/stages/checks.h"
#include "suite/stages/features.h"
#include "suite/stages/output_budget.h"
#include "suite/stages/student.h"
#include "suite/stages/synthetic.h"

namespace kdbench {
namespace {

// The runs of one task; what they share (features, teachers) is made when first needed.
class TaskPipeline {
 public:
  TaskPipeline(const Experiment& experiment, const Task& task, const Selection& selection,
               const Workspace& workspace)
      : experiment_(experiment), task_(task), selection_(selection), workspace_(workspace) {}

  // Everything that is read from data files, before anything is trained. Every rank finds the same
  // problems, and takes the same from the budget.
  void prepare(OutputBudget& budget, Problems& problems) {
    const size_t before = problems.lines().size();
    problems.collect([&] { prepare_features(); });
    if (problems.lines().size() != before) return;
    for (const auto* method : selected_methods(selection_, experiment_)) {
      problems.collect([&] { check(*method); });
    }
    if (problems.lines().size() == before) problems.collect([&] { decide_online(budget); });
  }

  // Of the teacher, and the assistant, alone.
  void prepare_teachers() {
    if (experiment_.teacher) features(tokenizer_folder(experiment_.teacher->model));
    if (experiment_.assistant) features(tokenizer_folder(experiment_.assistant->model));
  }

  void run(PipelineResult& result) {
    for (const auto* method : selected_methods(selection_, experiment_)) {
      for (const int64_t seed : selected_seeds(selection_, experiment_, task_.name, *method)) {
        count(run_one(*method, seed), result);
      }
    }
    for (const auto& [seed, made] : teachers_) result.runs.push_back(made.record);
    for (const auto& [key, made] : assistants_) result.runs.push_back(made.record);
  }

  void make_teachers(std::vector<Teacher>& made) {
    for (const int64_t seed : teacher_seeds(selection_, experiment_, task_.name)) {
      made.push_back(teacher(seed));
    }
  }

 private:
  void prepare_features() {
    for (const auto* method : selected_methods(selection_, experiment_)) {
      features(tokenizer_folder(student_of(experiment_, *method)));
    }
    prepare_teachers();
  }

  // What the method takes from files, and the tokens of its models.
  void check(const MethodSettings& method) {
    const Features& rows = features(tokenizer_folder(student_of(experiment_, method)));
    const Features* teacher_rows =
        experiment_.teacher ? &features(tokenizer_folder(experiment_.teacher->model)) : nullptr;
    const StudentRequest request{&experiment_, &task_, &method, 1};
    workspace_.control.agree([&] {
      check_teacher_outputs_file(request, rows, read_files_, workspace_.control);
      check_memory(request, rows);
      if (teacher_rows) check_same_tokens(request, rows, *teacher_rows);
    });
  }

  // Stored teacher outputs must find room on every host; those that do not are not stored.
  void decide_online(OutputBudget& budget) {
    if (!experiment_.teacher) return;
    const Features& rows = features(tokenizer_folder(experiment_.teacher->model));
    const auto decided = from_root(workspace_.control, [&]() -> nlohmann::json {
      const auto labels = methods_online(experiment_, task_, rows, workspace_.out, budget);
      return {{"online", labels}, {"disk", budget.disk}};
    });
    budget.disk = decided.at("disk");
    const std::vector<std::string> online = decided.at("online");
    set_online(experiment_, online);
    for (const auto& label : online) {
      workspace_.say(task_.name + " " + label +
                     ": the teacher's outputs are too large to store, it runs beside the student");
    }
  }

  StudentRun run_one(const MethodSettings& method, int64_t seed) {
    const StudentRequest request{&experiment_, &task_, &method, seed};
    return ensure_student(request, features(tokenizer_folder(student_of(experiment_, method))),
                          source_of(request), workspace_);
  }

  Source source_of(const StudentRequest& request) {
    SourceKind kind = SourceKind::kNone;
    workspace_.control.agree([&] { kind = source_kind(request); });
    if (kind == SourceKind::kNone) return {};
    if (kind == SourceKind::kTeacher) return teacher_of(request.seed);
    return {kind, &assistant(request), &features(tokenizer_folder(experiment_.assistant->model))};
  }

  Source teacher_of(int64_t seed) {
    return {SourceKind::kTeacher, &teacher(teacher_seed(experiment_, task_.name, seed)),
            &features(tokenizer_folder(experiment_.teacher->model))};
  }

  const Features& features(const std::filesystem::path& tokenizer) {
    auto& entry = features_[tokenizer];
    if (!entry) {
      entry = ensure_features(
          {experiment_.data.root, &task_, tokenizer, experiment_.max_seq_length_of(task_.name),
           experiment_.train_limit_of(task_.name), experiment_.data.synthetic},
          workspace_);
    }
    return *entry;
  }

  const Teacher& teacher(int64_t seed) {
    const auto found = teachers_.find(seed);
    if (found != teachers_.end()) return found->second;
    const Features& rows = features(tokenizer_folder(experiment_.teacher->model));
    return teachers_.emplace(seed, ensure_teacher(experiment_, task_, seed, rows, workspace_))
        .first->second;
  }

  // One for each method that asks for one: it is trained by that method's loss.
  const Teacher& assistant(const StudentRequest& student) {
    StudentRequest request = student;
    request.seed = assistant_seed(experiment_, task_.name, student.seed);
    const auto key = std::make_pair(request.method->label, request.seed);
    if (const auto found = assistants_.find(key); found != assistants_.end()) return found->second;
    const Features& rows = features(tokenizer_folder(experiment_.assistant->model));
    const Source source = trains_assistant(experiment_) ? teacher_of(request.seed) : Source{};
    return assistants_.emplace(key, ensure_assistant(request, rows, source, workspace_))
        .first->second;
  }

  static void count(const StudentRun& run, PipelineResult& result) {
    if (run.status == RunStatus::kDone) ++result.done;
    if (run.status == RunStatus::kReused) ++result.reused;
    if (run.status == RunStatus::kFailed) ++result.failed;
    result.runs.push_back(run.folder);
  }

  Experiment experiment_;  // with what is decided for this task
  const Task& task_;
  const Selection& selection_;
  const Workspace& workspace_;
  std::map<std::filesystem::path, std::optional<Features>> features_;
  ReadFiles read_files_;
  std::map<int64_t, Teacher> teachers_;                            // by their own seed
  std::map<std::pair<std::string, int64_t>, Teacher> assistants_;  // by method and own seed
};

// What every host has room for.
OutputBudget least_budget(const Workspace& workspace) {
  OutputBudget own;
  workspace.control.agree(
      [&] { own = output_budget(workspace.out, workspace.control.host().copies()); });
  return {workspace.control.min(own.disk), workspace.control.min(own.memory)};
}

// The tasks that are wanted, after the last check.
std::vector<TaskPipeline> begin(const Experiment& experiment, const Selection& selection,
                                const Workspace& workspace) {
  workspace.control.on_root([&] {
    Problems problems;
    check_models(experiment, problems);
    problems.throw_if_any(experiment.file.string());
  });
  std::vector<TaskPipeline> tasks;
  for (const auto& name : selected_tasks(selection, experiment)) {
    tasks.emplace_back(experiment, find_task(name), selection, workspace);
  }
  return tasks;
}

}  // namespace

PipelineResult run_experiment(const Experiment& asked, const Workspace& workspace,
                              const Selection& selection) {
  const Experiment experiment = with_data_in_place(asked, workspace);
  auto tasks = begin(experiment, selection, workspace);
  PipelineResult result;
  result.folder = workspace.out / experiment.name;
  Problems problems;  // of all tasks' files
  OutputBudget budget = least_budget(workspace);
  for (auto& task : tasks) task.prepare(budget, problems);
  workspace.control.agree([&] { throw_each_once(problems, experiment.file.string()); });
  for (auto& task : tasks) task.run(result);
  return result;
}

std::vector<Teacher> make_teachers(const Experiment& asked, const Workspace& workspace,
                                   const Selection& selection) {
  const Experiment experiment = with_data_in_place(asked, workspace);
  auto tasks = begin(experiment, selection, workspace);
  std::vector<Teacher> teachers;
  for (auto& task : tasks) task.prepare_teachers();
  for (auto& task : tasks) task.make_teachers(teachers);
  return teachers;
}

}  // namespace kdbench
