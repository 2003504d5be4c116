// SPDX-License-Identifier: MIT
#include "suite/stages/pipeline.h"

#include <fmt/core.h>

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

  void run(PipelineResult& result) {
    for (const auto& method : experiment_.methods) {
      for (const int64_t seed : experiment_.train_of(task_.name, method).seeds) {
        count(run_one(method, seed), result);
      }
    }
  }

 private:
  RunStatus run_one(const MethodSettings& method, int64_t seed) {
    const StudentRequest request{&experiment_, &task_, &method, seed};
    const ModelSettings& student = method.student ? *method.student : *experiment_.student;
    const bool needs_teacher = (student_needs(request).teacher && !method.teacher_outputs_file) ||
                               (student.init != "random" && student.init_from == "teacher");
    const Teacher* trained = needs_teacher ? &teacher(seed) : nullptr;
    if (trained && trained->failed) {
      workspace_.say(fmt::format("{} {} seed {}: not run, its teacher failed", task_.name,
                                 method.label, seed));
      return RunStatus::kFailed;
    }
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
      publish_run(entry->run_folder, experiment_.name, workspace_);
    }
    return *entry;
  }

  static void count(RunStatus status, PipelineResult& result) {
    if (status == RunStatus::kDone) ++result.done;
    if (status == RunStatus::kReused) ++result.reused;
    if (status == RunStatus::kFailed) ++result.failed;
  }

  const Experiment& experiment_;
  const Task& task_;
  const Workspace& workspace_;
  std::map<std::filesystem::path, std::optional<Features>> features_;
  std::map<int64_t, std::optional<Teacher>> teachers_;
};

void check_all(const Experiment& experiment) {
  Problems problems;
  for (const auto& name : experiment.data.tasks) {
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
  for (const auto& name : experiment.data.tasks)
    TaskPipeline(experiment, find_task(name), workspace).run(result);
  return result;
}

}  // namespace kdbench
