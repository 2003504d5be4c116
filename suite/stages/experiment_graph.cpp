// SPDX-License-Identifier: MIT
#include "suite/stages/experiment_graph.h"

#include <algorithm>
#include <map>
#include <set>

#include "suite/config/method_models.h"
#include "suite/graph/stage_groups.h"
#include "suite/stages/rows/corpora_stage.h"
#include "suite/stages/runs/assistant_stage.h"
#include "suite/stages/runs/language_model_stage.h"
#include "suite/stages/runs/student_stage.h"
#include "suite/stages/runs/teacher_stage.h"
#include "suite/stages/set_makers.h"

namespace kdbench {

ExperimentGraph::ExperimentGraph(const Experiment& asked, const Selection& selection,
                                 ExperimentPart part, OutputBudget budget,
                                 const Workspace& workspace, const PrepareData& prepare,
                                 Problems& problems)
    : experiment_(asked),
      selection_(selection),
      part_(part),
      workspace_(workspace),
      problems_(problems) {
  place_data(prepare);
  for (const auto& name : selected_tasks(selection_, experiment_)) {
    tasks_.push_back(std::make_unique<TaskPart>());
    tasks_.back()->task = &experiment_.task(name);
  }
  for (const auto& task : tasks_) {
    problems_.collect([&] { place_transfer(*task, prepare); });
    problems_.collect([&] {
      place_words(*task, prepare);
      prepare_rows(*task, prepare);
    });
  }
  for (const auto& task : tasks_) {
    if (part_ == ExperimentPart::kTeachers) {
      problems_.collect([&] { add_teachers(*task); });
      continue;
    }
    if (lacks_any_set(*task)) continue;
    problems_.collect([&] {
      resolve_methods(*task);
      decide_online(*task, budget);
    });
    add_students(*task);
  }
}

void ExperimentGraph::place_data(const PrepareData& prepare) {
  if (!experiment_.data.synthetic) return;
  CorporaStage& corpora = corpora_stage(graph_, experiment_.data);
  context_.corpora = &corpora;
  prepare(corpora);
  take_corpora(experiment_, corpora.root(workspace_));
}

// A set that somebody learns from, or whose words are among those of a model.
void ExperimentGraph::place_transfer(const TaskPart& part, const PrepareData& prepare) {
  if (!experiment_.transfer) return;
  if (part_ == ExperimentPart::kTeachers && !any_reads_own_words(experiment_)) return;
  for (const auto& kind : experiment_.transfer->kinds()) {
    TransferSetStage& set =
        transfer_stage(context_, *part.task, set_maker(context_, *part.task, kind));
    if (context_.corpora) set.need(*context_.corpora);
    prepare(set);
    set.rows(workspace_);  // in a plan its problems are found here
    context_.transfer[{part.task, kind}] = &set;
  }
}

// It could not be made, which is a problem; nobody can learn from it.
bool ExperimentGraph::lacks_set(const TaskPart& part, const std::string& kind) const {
  return !context_.transfer.contains({part.task, kind});
}

bool ExperimentGraph::lacks_any_set(const TaskPart& part) const {
  if (!experiment_.transfer) return false;
  const auto kinds = experiment_.transfer->kinds();
  return std::any_of(kinds.begin(), kinds.end(),
                     [&](const std::string& kind) { return lacks_set(part, kind); });
}

// A vocabulary of the task's own words, where a model reads those.
void ExperimentGraph::place_words(const TaskPart& part, const PrepareData& prepare) {
  if (!any_reads_own_words(experiment_)) return;
  FeatureRequest request = feature_request(context_, *part.task, {});
  const auto sets = context_.sets_of(*part.task);
  for (TransferSetStage* set : sets) request.transfer.push_back(set->rows(workspace_));
  WordsStage& words = words_stage(graph_, request, workspace_);
  for (TransferSetStage* set : sets) words.need(*set);
  if (context_.corpora) words.need(*context_.corpora);
  context_.words[part.task] = &words;
  prepare(words);
  take_words(experiment_, *part.task, words.vocabulary(workspace_));
}

// Of all models, before anything is made of them: all mistakes in all data files are found.
void ExperimentGraph::prepare_rows(const TaskPart& part, const PrepareData& prepare) {
  std::set<std::string> learned;  // sets that somebody learns from
  const auto rows = [&](const ModelSettings& model, const std::set<std::string>& sets) {
    problems_.collect([&] {
      prepare(features_of(context_, *part.task, model));
      for (const auto& set : sets) {
        if (!lacks_set(part, set))
          prepare(*training_rows_of(context_, *part.task, model, set).stage);
      }
    });
  };
  if (part_ == ExperimentPart::kAll) {
    for (const auto* method : selected_methods(selection_, experiment_)) {
      std::set<std::string> own;
      if (!method->transfer.empty()) own.insert(method->transfer);
      rows(student_of(experiment_, *method), own);
      learned.merge(own);
    }
  }
  if (experiment_.teacher) {
    rows(experiment_.teacher->model, learned);
    problems_.collect([&] { prepare(features_of(context_, *part.task, *experiment_.teacher)); });
  }
  if (experiment_.assistant) rows(experiment_.assistant->model, learned);
}

void ExperimentGraph::resolve_methods(TaskPart& part) {
  part.methods.reserve(experiment_.methods.size());
  workspace_.control.agree([&] {
    for (const auto& method : experiment_.methods) {
      part.methods.push_back(resolve(experiment_, *part.task, method));
    }
  });
  share_needs(part);
}

void ExperimentGraph::share_needs(TaskPart& part) {
  part.shared.clear();
  for (const auto& method : part.methods) {
    const std::string& transfer = method.settings->transfer;
    if (!part.shared.contains(transfer))
      part.shared[transfer] = shared_needs(part.methods, transfer);
  }
}

// Stored teacher outputs must find room on every host; those that do not are not stored.
void ExperimentGraph::decide_online(TaskPart& part, OutputBudget& budget) {
  const bool automatic =
      std::any_of(part.methods.begin(), part.methods.end(), [](const ResolvedMethod& method) {
        return method.takes_outputs() && method.settings->teacher_outputs == "auto";
      });
  if (!experiment_.teacher || !automatic) return;
  std::map<std::string, StoredRows> rows;  // as the teacher reads what methods learn from
  std::vector<FeaturesStage*> read;
  for (const auto& method : part.methods) {
    const std::string& transfer = method.settings->transfer;
    if (rows.contains(transfer)) continue;
    const TrainingRows learned =
        training_rows_of(context_, *part.task, experiment_.teacher->model, transfer);
    rows[transfer] = {learned.stage->hash(), learned.read(workspace_)};
    read.push_back(learned.stage);
  }
  std::map<int64_t, std::string> teachers;  // by a student's seed: making a stage is collective
  for (const auto& method : part.methods) {
    for (const int64_t seed :
         method.takes_outputs() ? method.train.seeds : std::vector<int64_t>{}) {
      if (teachers.contains(seed)) continue;
      teachers[seed] = teacher_of(part, seed).hash();
    }
  }
  const auto decided = from_root(workspace_.control, [&]() -> nlohmann::json {
    const StoreSite site{rows, [&](int64_t seed) { return teachers.at(seed); }, workspace_.out};
    const auto labels = methods_online(part.methods, site, budget);
    return {{"online", labels}, {"disk", budget.disk}};
  });
  rows.clear();
  for (FeaturesStage* stage : read) stage->release();
  budget.disk = decided.at("disk");
  const std::set<std::string> online = decided.at("online");
  for (auto& method : part.methods) {
    if (!online.contains(method.settings->label)) continue;
    method.online = true;
    workspace_.say(part.task->name + " " + method.settings->label +
                   ": the teacher's outputs are too large to store, it runs beside the student");
  }
  share_needs(part);
}

void ExperimentGraph::add_students(const TaskPart& part) {
  std::vector<Stage*> students;
  for (const auto* wanted : selected_methods(selection_, experiment_)) {
    const auto method =
        std::find_if(part.methods.begin(), part.methods.end(),
                     [&](const ResolvedMethod& resolved) { return resolved.settings == wanted; });
    if (method == part.methods.end()) continue;  // a problem
    problems_.collect([&] {
      FeaturesStage& rows = features_of(context_, *part.task, *method->student);
      const TrainingRows learned =
          training_rows_of(context_, *part.task, *method->student, wanted->transfer);
      for (const int64_t seed : selected_seeds(selection_, experiment_, part.task->name, *wanted)) {
        const auto source = source_of(part, *method, model_of(part, *method, seed), learned);
        students.push_back(&student_stage(context_, *method, seed, rows, learned, source));
      }
    });
  }
  targets_.insert(targets_.end(), students.begin(), students.end());
  add_model_targets(students);
}

// Their records belong to the results too.
void ExperimentGraph::add_model_targets(const std::vector<Stage*>& students) {
  std::set<const Stage*> needed;
  for (const Stage* student : students) needed.merge(with_needs(*student));
  for (const char* kind : {kLanguageModelRole, kTeacher, kAssistant}) {
    for (const auto& stage : graph_.stages()) {
      if (stage->kind() == kind && needed.contains(stage.get())) targets_.push_back(stage.get());
    }
  }
}

void ExperimentGraph::add_teachers(const TaskPart& part) {
  for (const int64_t seed : teacher_seeds(selection_, experiment_, part.task->name)) {
    targets_.push_back(&teacher_stage(context_, *part.task, seed));
  }
}

SourceModel* ExperimentGraph::model_of(const TaskPart& part, const ResolvedMethod& method,
                                       int64_t seed) {
  if (method.source == SourceKind::kNone) return nullptr;
  if (method.source == SourceKind::kAssistant) return &assistant_of(part, method, seed);
  return &teacher_of(part, seed);
}

SourceModel& ExperimentGraph::teacher_of(const TaskPart& part, int64_t student_seed) {
  const int64_t seed = teacher_seed(experiment_, part.task->name, student_seed);
  auto& teacher = teachers_[{part.task, seed}];
  if (!teacher) teacher = &teacher_stage(context_, *part.task, seed);
  return *teacher;
}

// One for each method that asks for one: it is trained by that method's loss.
SourceModel& ExperimentGraph::assistant_of(const TaskPart& part, const ResolvedMethod& method,
                                           int64_t student_seed) {
  const std::string& task = part.task->name;
  const int64_t seed = assistant_seed(experiment_, task, student_seed);
  std::shared_ptr<const Source> source;
  if (trains_assistant(experiment_)) {
    source = source_of(
        part, method, &teacher_of(part, seed),
        training_rows_of(context_, *part.task, experiment_.assistant->model, /*transfer=*/""));
  }
  return assistant_stage(context_, method, seed, source);
}

// What the method takes of `model` (null: nobody's, or all from a file) on `rows`, what is learned
// from.
std::shared_ptr<const Source> ExperimentGraph::source_of(const TaskPart& part,
                                                         const ResolvedMethod& method,
                                                         SourceModel* model,
                                                         const TrainingRows& rows) {
  auto source = std::make_shared<Source>();
  source->model = model;
  const std::string transfer = rows.split == kTransferSplit ? method.settings->transfer : "";
  if (model) {
    source->model_rows =
        training_rows_of(context_, *part.task, model->initial().settings, transfer);
  }
  if (experiment_.teacher) {
    source->teacher_rows = &features_of(context_, *part.task, experiment_.teacher->model);
  }
  source->file = method.settings->teacher_outputs_file;
  source->online = method.online;
  if (model && method.takes_outputs() && !source->online && !source->file) {
    const TeacherNeeds& needs =
        model->kind() == kAssistant ? method.needs : part.shared.at(transfer);
    source->stored =
        &teacher_outputs_stage(graph_, *model, source->model_rows, needs, method.shapes);
  }
  const FeatureMemoryNeeds& memory = method.needs.feature_memory;
  if (memory.centroids > 0 && memory.file.empty()) {
    const StatesSource states{source->file ? nullptr : model, source->stored, source->file};
    source->feature_memory = &feature_memory_stage(graph_, states, method, *rows.stage, workspace_);
  }
  return source;
}

}  // namespace kdbench
