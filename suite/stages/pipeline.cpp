// SPDX-License-Identifier: MIT
#include "suite/stages/pipeline.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>

#include "io/error.h"
#include "suite/stages/features.h"
#include "suite/stages/student.h"
#include "suite/stages/teacher.h"
#include "suite/training/model_setup.h"

namespace kdbench {
namespace {

// The runs of one task; what they share (features, teachers) is made when first needed.
class TaskPipeline {
 public:
  TaskPipeline(const Experiment& experiment, const Task& task, const Workspace& workspace)
      : experiment_(experiment), task_(task), workspace_(workspace) {}

  // Everything that is read from data files, before anything is trained.
  void prepare() {
    for (const auto& method : experiment_.methods) features(tokenizer_folder(student_of(method)));
    if (experiment_.teacher) features(tokenizer_folder(experiment_.teacher->model));
    for (const auto& method : experiment_.methods) {
      const auto& rows = features(tokenizer_folder(student_of(method)));
      workspace_.control.agree([&] {
        check_teacher_outputs_file({&experiment_, &task_, &method, 1}, rows);
      });
    }
  }

  void run(PipelineResult& result) {
    for (const auto& method : experiment_.methods) {
      for (const int64_t seed : experiment_.train_of(task_.name, method).seeds) {
        count(run_one(method, seed), result);
      }
    }
    result.runs.insert(result.runs.end(), teacher_runs_.begin(), teacher_runs_.end());
  }

 private:
  const ModelSettings& student_of(const MethodSettings& method) const {
    return method.student ? *method.student : *experiment_.student;
  }

  StudentRun run_one(const MethodSettings& method, int64_t seed) {
    const StudentRequest request{&experiment_, &task_, &method, seed};
    const ModelSettings& student = student_of(method);
    const bool needs_teacher = (student_needs(request).teacher && !method.teacher_outputs_file) ||
                               (student.init != "random" && student.init_from == "teacher");
    const Teacher* trained = needs_teacher ? &teacher(seed) : nullptr;
    const Features* teacher_rows =
        trained ? &features(tokenizer_folder(experiment_.teacher->model)) : nullptr;
    return ensure_student(request, features(tokenizer_folder(student)), trained, teacher_rows,
                          workspace_);
  }

  const Features& features(const std::filesystem::path& tokenizer) {
    auto& entry = features_[tokenizer];
    if (!entry) {
      entry = ensure_features(
          {experiment_.data.root, &task_, tokenizer, experiment_.max_seq_length_of(task_.name),
           experiment_.train_limit_of(task_.name)},
          workspace_);
    }
    return *entry;
  }

  const Teacher& teacher(int64_t student_seed) {
    const int64_t seed = experiment_.teacher->per_seed
                             ? student_seed
                             : experiment_.teacher_train_of(task_.name).seeds.front();
    auto& entry = teachers_[seed];
    if (!entry) {
      const Features& rows = features(tokenizer_folder(experiment_.teacher->model));
      entry = ensure_teacher(experiment_, task_, seed, rows, workspace_);
      teacher_runs_.push_back(publish_run(entry->run_folder, experiment_.name, workspace_));
      if (entry->failed) drop_stage(*entry);
    }
    return *entry;
  }

  // A failed teacher is recorded, but tried again next time.
  void drop_stage(const Teacher& failed) const {
    workspace_.control.on_root(
        [&] { std::filesystem::remove_all(failed.run_folder.parent_path()); });
  }

  static void count(const StudentRun& run, PipelineResult& result) {
    if (run.status == RunStatus::kDone) ++result.done;
    if (run.status == RunStatus::kReused) ++result.reused;
    if (run.status == RunStatus::kFailed) ++result.failed;
    result.runs.push_back(run.folder);
  }

  const Experiment& experiment_;
  const Task& task_;
  const Workspace& workspace_;
  std::map<std::filesystem::path, std::optional<Features>> features_;
  std::map<int64_t, std::optional<Teacher>> teachers_;
  std::vector<std::filesystem::path> teacher_runs_;
};

void check_best_metric(const Experiment& experiment, const Task& task) {
  if (!experiment.teacher || !experiment.teacher->train) return;
  const std::string metric = experiment.teacher_train_of(task.name).best_metric;
  const bool reported = std::any_of(task.metrics.begin(), task.metrics.end(),
                                    [&](Metric known) { return metric_name(known) == metric; });
  if (metric == "auto" || reported) return;
  throw_user_error("teacher.train.best_metric", task.name + " has no metric '" + metric + "'",
                   "\"auto\" takes the task's own");
}

void check_models(const Experiment& experiment, Problems& problems) {
  std::vector<const Task*> tasks;
  for (const auto& name : experiment.data.tasks) tasks.push_back(&find_task(name));
  const ModelSettings* teacher = experiment.teacher ? &experiment.teacher->model : nullptr;
  const auto check = [&](const ModelSettings& model, bool frozen) {
    problems.collect([&] { check_model(model, teacher, frozen, tasks); });
  };
  if (teacher) check(*teacher, !experiment.teacher->train);
  if (experiment.student) check(*experiment.student, false);
  for (const auto& method : experiment.methods) {
    if (method.student) check(*method.student, false);
  }
}

void check_all(const Experiment& experiment) {
  Problems problems;
  check_models(experiment, problems);
  for (const auto& name : experiment.data.tasks) {
    problems.collect([&] { check_best_metric(experiment, find_task(name)); });
    for (const auto& method : experiment.methods) {
      problems.collect([&] { student_needs({&experiment, &find_task(name), &method, 1}); });
    }
  }
  problems.throw_if_any(experiment.file.string());
}

}  // namespace

PipelineResult run_experiment(const Experiment& experiment, const Workspace& workspace) {
  workspace.control.agree([&] { check_all(experiment); });
  PipelineResult result;
  result.folder = workspace.out / experiment.name;
  std::vector<TaskPipeline> tasks;
  for (const auto& name : experiment.data.tasks) {
    tasks.emplace_back(experiment, find_task(name), workspace);
  }
  Problems problems;  // of all tasks' files; every rank finds the same ones
  for (auto& task : tasks) problems.collect([&] { task.prepare(); });
  workspace.control.agree([&] { problems.throw_if_any(experiment.file.string()); });
  for (auto& task : tasks) task.run(result);
  return result;
}

}  // namespace kdbench
