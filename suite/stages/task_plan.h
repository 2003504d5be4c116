// SPDX-License-Identifier: MIT
// The plan of one task: what TaskPipeline (pipeline.cpp) does, in the same order, with the same
// stages and names.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "io/base/error.h"
#include "suite/stages/plan.h"
#include "suite/stages/source.h"

namespace kdbench {

class TaskPlanner {
 public:
  // Adds to `plan`, whose limits are known, and `problems`. `dry`: one rank, models without values.
  TaskPlanner(const Experiment& experiment, const Task& task, const Workspace& dry, Plan& plan,
              Problems& problems)
      : experiment_(experiment), task_(task), dry_(dry), plan_(plan), problems_(problems) {}

  // Reads the rows, as the run does before anything is trained.
  void read();
  // Takes what it stores from the budget.
  void plan(OutputBudget& budget);

 private:
  const Features& features(const std::filesystem::path& tokenizer);
  const Features& features_of(const MethodSettings& method);
  const Features& features_of(const TeacherSettings& model);
  void add_features(const Features& rows, const StageKey& key);
  bool is_new(const StageKey& key);
  void add_stage(const StageKey& key, const std::string& what, int64_t bytes);

  void decide_online(OutputBudget& budget);
  void check(const StudentRequest& request, const Features& rows);
  void plan_method(const MethodSettings& method);
  void plan_run(const StudentRequest& request, const Features& rows, int64_t bytes);
  void plan_stored(const StudentRequest& request, const Source& source);
  void plan_memory(const StudentRequest& request, const Source& source, const Features& rows);
  Source plan_source(const StudentRequest& request);
  Source plan_assistant(const StudentRequest& student);
  Source plan_teacher(int64_t student_seed);
  const WorkPlan& plan_model_work(const std::string& role, const ModelRequest& request,
                                  const Features& rows, Method* method,
                                  const TrainSettings& settings, int64_t outputs);
  void plan_training_of(WorkPlan& work, Method& method, const Models& models, const Features& rows,
                        const TrainSettings& settings) const;
  int64_t outputs_memory(const StudentRequest& request, SourceKind source,
                         const Features& rows) const;
  int64_t run_bytes(const WorkPlan& work, const FeatureStore& store) const;
  std::string source_text(const StudentRequest& request, SourceKind source) const;

  Experiment experiment_;  // with what is decided for this task
  const Task& task_;
  const Workspace& dry_;
  Plan& plan_;
  Problems& problems_;
  std::map<std::filesystem::path, Features> features_;
  ReadFiles read_files_;
  std::map<int64_t, Teacher> teachers_;                            // by their own seed
  std::map<std::pair<std::string, int64_t>, Teacher> assistants_;  // by method and own seed
  std::set<std::string> listed_;                                   // hashes of shared stages
};

}  // namespace kdbench
