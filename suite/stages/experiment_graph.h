// SPDX-License-Identifier: MIT
// An experiment, or a selection of it, as a graph of stages.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "suite/config/experiment.h"
#include "suite/config/resolved_method.h"
#include "suite/config/selection.h"
#include "suite/graph/graph.h"
#include "suite/stages/rows/stage_context.h"
#include "suite/stages/sources/output_budget.h"
#include "suite/stages/sources/source.h"

namespace kdbench {

class ExperimentGraph {
 public:
  // Called with each stage that turns the user's data into rows, as soon as it is known and before
  // anything is derived from the rows: to make it, or to do nothing, and take what is not there
  // from memory. Throws the user errors of its files.
  using PrepareData = std::function<void(Stage&)>;

  // User errors of data files and models go to `problems`: what could not be read has no stages.
  // `part`: with kTeachers only the teachers. Collective; the graph is the same on all ranks.
  ExperimentGraph(const Experiment& asked, const Selection& selection, ExperimentPart part,
                  OutputBudget budget, const Workspace& workspace, const PrepareData& prepare,
                  Problems& problems);

  Graph& graph() { return graph_; }
  // With its data in place.
  const Experiment& experiment() const { return experiment_; }
  // What is asked for, task by task: students in the order of the experiment, then the teachers and
  // assistants that they learn from.
  const std::vector<Stage*>& targets() const { return targets_; }

 private:
  // What is known of one task.
  struct TaskPart {
    const Task* task = nullptr;
    // Of all methods that store, by the kind of the transfer set that they learn from.
    std::map<std::string, TeacherNeeds> shared;
    std::vector<ResolvedMethod> methods;  // all of the experiment; stages keep pointers into it
  };

  void place_data(const PrepareData& prepare);
  void place_transfer(const TaskPart& part, const PrepareData& prepare);
  bool lacks_set(const TaskPart& part, const std::string& kind) const;
  bool lacks_any_set(const TaskPart& part) const;
  void place_words(const TaskPart& part, const PrepareData& prepare);
  void prepare_rows(const TaskPart& part, const PrepareData& prepare);
  void resolve_methods(TaskPart& part);
  static void share_needs(TaskPart& part);
  void decide_online(TaskPart& part, OutputBudget& budget);
  void add_students(const TaskPart& part);
  void add_teachers(const TaskPart& part);
  void add_model_targets(const std::vector<Stage*>& students);
  SourceModel& teacher_of(const TaskPart& part, int64_t student_seed);
  SourceModel* model_of(const TaskPart& part, const ResolvedMethod& method, int64_t seed);
  SourceModel& assistant_of(const TaskPart& part, const ResolvedMethod& method, int64_t seed);
  std::shared_ptr<const Source> source_of(const TaskPart& part, const ResolvedMethod& method,
                                          SourceModel* model, const TrainingRows& rows);

  Experiment experiment_;
  const Selection selection_;
  const ExperimentPart part_;
  const Workspace& workspace_;
  Problems& problems_;
  Graph graph_;
  StageContext context_{experiment_, graph_, workspace_};
  std::map<std::pair<const Task*, int64_t>, SourceModel*> teachers_;  // by their own seed
  std::vector<std::unique_ptr<TaskPart>> tasks_;
  std::vector<Stage*> targets_;
};

}  // namespace kdbench
