// SPDX-License-Identifier: MIT
#include "suite/stages/task_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/batches/dataset.h"
#include "methods/registry.h"
#include "suite/config/method_models.h"
#include "suite/results/run_record.h"
#include "suite/stages/assistant.h"
#include "suite/stages/memory.h"
#include "suite/stages/output_budget.h"
#include "suite/stages/selection.h"
#include "suite/stages/student.h"
#include "suite/stages/teacher_outputs.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// Estimates of what a run writes beside its model.
constexpr int64_t kEventBytes = 300;       // of events.jsonl, a step
constexpr int64_t kPredictionBytes = 24;   // of both tables, a row
constexpr int64_t kPredictionOutput = 14;  // and a logit of it

SplitPlan describe(const Task& task, const FeatureSplit& split) {
  SplitPlan plan{task.name, split.name, split.rows(), static_cast<int64_t>(split.tokens.size()), 0};
  for (int64_t row = 0; row < split.rows(); ++row) {
    plan.longest = std::max(plan.longest, split.offsets[row + 1] - split.offsets[row]);
  }
  return plan;
}

// In the task's order: train, dev, test.
std::vector<std::shared_ptr<const FeatureSplit>> ordered_splits(const Task& task,
                                                                const FeatureStore& store) {
  std::vector<std::shared_ptr<const FeatureSplit>> splits;
  for (const auto& spec : task.splits) {
    const auto found = store.splits.find(spec.name);
    if (found != store.splits.end()) splits.push_back(found->second);
  }
  return splits;
}

// The source, without a teacher whose weights the student begins with when they do not exist yet.
const Teacher* usable(const StudentRequest& request, const Source& source) {
  const bool begins_with_it =
      student_of(*request.experiment, *request.method).init_from == "teacher";
  return source.model && begins_with_it && source.model->folder.empty() ? nullptr : source.model;
}

std::string outputs_text(const TeacherNeeds& needs) {
  std::string text = "logits";
  if (!needs.cls_layers.empty()) {
    text += fmt::format(", [CLS] of {} layer{}", needs.cls_layers.size(),
                        needs.cls_layers.size() == 1 ? "" : "s");
  }
  if (!needs.hidden_layers.empty()) {
    text += fmt::format(", every token of {} layer{}", needs.hidden_layers.size(),
                        needs.hidden_layers.size() == 1 ? "" : "s");
  }
  return text;
}

}  // namespace

void TaskPlanner::read() {
  for (const auto& method : experiment_.methods) {
    problems_.collect([&] { features_of(method); });
  }
  for (const auto* model : {&experiment_.teacher, &experiment_.assistant}) {
    if (*model) problems_.collect([&] { features_of(**model); });
  }
}

void TaskPlanner::plan(OutputBudget& budget) {
  problems_.collect([&] { decide_online(budget); });
  for (const auto& method : experiment_.methods) {
    problems_.collect([&] { plan_method(method); });
  }
}

const Features& TaskPlanner::features_of(const MethodSettings& method) {
  return features(tokenizer_folder(student_of(experiment_, method)));
}

const Features& TaskPlanner::features_of(const TeacherSettings& model) {
  return features(tokenizer_folder(model.model));
}

const Features& TaskPlanner::features(const fs::path& tokenizer) {
  if (const auto found = features_.find(tokenizer); found != features_.end()) {
    return found->second;
  }
  const FeatureRequest request{experiment_.data.root,
                               &task_,
                               tokenizer,
                               experiment_.max_seq_length_of(task_.name),
                               experiment_.train_limit_of(task_.name),
                               experiment_.data.synthetic};
  const StageKey key = features_key(request);
  Features rows{stage_folder(dry_.out, key) / "features.h5", key.hash(), {}};
  if (stage_is_there(dry_.out, key)) {
    read_stage(stage_folder(dry_.out, key), [&] { rows.store = read_feature_store(rows.file); });
  } else {
    const auto cutter = load_tokenizer(tokenizer);
    rows.store.info = {task_.name, cutter->sha256(), request.max_seq_length, request.train_limit,
                       cutter->second_segment_type()};
    for (auto& split : tokenize_splits(request, *cutter, 0, 1, dry_)) {
      const std::string name = split.name;
      rows.store.splits[name] = std::make_shared<FeatureSplit>(std::move(split));
    }
  }
  add_features(rows, key);
  return features_.emplace(tokenizer, std::move(rows)).first->second;
}

// Models with equal tokenizers share a stage, but each has the rows in memory.
void TaskPlanner::add_features(const Features& rows, const StageKey& key) {
  const bool listed = !is_new(key);
  int64_t bytes = 0;
  for (const auto& split : ordered_splits(task_, rows.store)) {
    plan_.features_bytes += stored_bytes(*split);
    bytes += stored_bytes(*split);
    if (!listed) plan_.splits.push_back(describe(task_, *split));
  }
  if (!listed) add_stage(key, task_.name, bytes);
}

bool TaskPlanner::is_new(const StageKey& key) { return listed_.insert(key.hash()).second; }

void TaskPlanner::add_stage(const StageKey& key, const std::string& what, int64_t bytes) {
  plan_.stages.push_back({key.kind, what, key.hash(), stage_is_there(dry_.out, key), bytes});
}

void TaskPlanner::decide_online(OutputBudget& budget) {
  if (!experiment_.teacher) return;
  set_online(experiment_, methods_online(experiment_, task_, features_of(*experiment_.teacher),
                                         dry_.out, budget));
}

void TaskPlanner::check(const StudentRequest& request, const Features& rows) {
  if (experiment_.teacher) check_same_tokens(request, rows, features_of(*experiment_.teacher));
  check_teacher_outputs_file(request, rows, read_files_, dry_.control);
  check_memory(request, rows);
}

void TaskPlanner::plan_method(const MethodSettings& method) {
  const TrainSettings settings = experiment_.train_of(task_.name, method);
  const StudentRequest first{&experiment_, &task_, &method, settings.seeds.front()};
  const Features& rows = features_of(method);
  check(first, rows);
  const Source source = plan_source(first);
  WorkPlan work{task_.name, method.label, settings.seeds, 0, {}, 0};
  work.teacher_outputs = outputs_memory(first, source.kind, rows);
  const auto model = build_model(student_model(first, usable(first, source)), dry_);
  Models models{{kStudent, model.get()}};
  std::unique_ptr<Model> beside;
  if (const auto learning = learning_teacher(first, source.model)) {
    beside = build_model(*learning, dry_);
    models[kTeacher] = beside.get();
  }
  plan_training_of(work, *make_method(first), models, rows, settings);
  const int64_t bytes = run_bytes(work, rows.store);
  for (const int64_t seed : settings.seeds) {
    plan_run({&experiment_, &task_, &method, seed}, rows, bytes);
  }
  plan_.work.push_back(std::move(work));
}

// Of a rank: what it reads, or the weights of the model that gives it; and FSD's memory.
int64_t TaskPlanner::outputs_memory(const StudentRequest& request, SourceKind source,
                                    const Features& rows) const {
  const TeacherNeeds needs = student_needs(request);
  const ModelShapes shapes = request_shapes(request);
  const int64_t memory = memory_bytes(needs.memory, shapes);
  if (!runs_online(request)) {
    return memory + teacher_outputs_bytes(rows.store.split("train")->rows(), needs, shapes);
  }
  const auto model = build_model(source == SourceKind::kAssistant
                                     ? assistant_model(experiment_, task_, request.seed)
                                     : teacher_model(experiment_, task_, request.seed),
                                 dry_);
  return memory + int64_t{sizeof(float)} * model->parameters().layout().buffer_size();
}

void TaskPlanner::plan_training_of(WorkPlan& work, Method& method, const Models& models,
                                   const Features& rows, const TrainSettings& settings) const {
  const Model& model = *models.at(kStudent);
  work.parameters = model.parameters().layout().parameter_count();
  const auto dev = task_.dev_splits();
  const bool keeps_best = std::any_of(dev.begin(), dev.end(), [&](const std::string& name) {
    return rows.store.splits.count(name) != 0;
  });
  const auto train = make_dataset(rows.store.split("train"), model.config().labels);
  work.training =
      plan_training(method.phases({models}), models, *train, settings, plan_.ranks, keeps_best);
}

int64_t TaskPlanner::run_bytes(const WorkPlan& work, const FeatureStore& store) const {
  int64_t bytes = int64_t{sizeof(float)} * work.parameters + kEventBytes * work.training.steps;
  for (const auto& [name, split] : store.splits) {
    if (name == "train") continue;
    bytes += split->rows() * (kPredictionBytes + kPredictionOutput * task_.classes());
  }
  return bytes;
}

void TaskPlanner::plan_run(const StudentRequest& request, const Features& rows, int64_t bytes) {
  const Source source = plan_source(request);
  plan_stored(request, source);
  plan_memory(request, source, rows);
  StagePlan run{"run",
                fmt::format("{} {} seed {}{}", task_.name, request.method->label, request.seed,
                            runs_online(request) ? ", teacher online" : ""),
                "", false, bytes};
  if (usable(request, source) == source.model) {
    const std::string id = student_run_id(request, rows, source.model);
    run.name = free_run_folder(dry_.out / experiment_.name / id, &run.reused).filename().string();
  }
  plan_.stages.push_back(std::move(run));
}

// What is stored of a teacher or an assistant.
void TaskPlanner::plan_stored(const StudentRequest& request, const Source& source) {
  if (!source.model || request.method->teacher_outputs_file || runs_online(request) ||
      !takes_outputs(student_needs(request))) {
    return;
  }
  const TeacherNeeds needs = stored_needs(request, source.kind);
  const StageKey key = teacher_outputs_key(*source.model, needs, *source.rows);
  if (!is_new(key)) return;
  add_stage(
      key, fmt::format("{}: {}", source_text(request, source.kind), outputs_text(needs)),
      teacher_store_bytes(*source.rows->store.split("train"), needs, request_shapes(request)));
}

void TaskPlanner::plan_memory(const StudentRequest& request, const Source& source,
                              const Features& rows) {
  const auto key = request_memory_key(request, rows, source.model);
  if (!key || !is_new(*key)) return;
  const MemoryNeeds needs = student_needs(request).memory;
  const auto& file = request.method->teacher_outputs_file;
  add_stage(*key,
            fmt::format("{}: {} centroids of layer {}",
                        file ? fmt::format("{} {}", task_.name, file->filename().string())
                             : source_text(request, source.kind),
                        needs.centroids, needs.layer),
            memory_bytes(needs, request_shapes(request)));
}

// "MRPC seed 1" of a teacher, "MRPC assistant seed 1".
std::string TaskPlanner::source_text(const StudentRequest& request, SourceKind source) const {
  if (source == SourceKind::kAssistant) {
    return fmt::format("{} assistant seed {}", task_.name,
                       assistant_seed(experiment_, task_.name, request.seed));
  }
  return fmt::format("{} seed {}", task_.name, teacher_seed(experiment_, task_.name, request.seed));
}

Source TaskPlanner::plan_source(const StudentRequest& request) {
  switch (source_kind(request)) {
    case SourceKind::kTeacher:
      return plan_teacher(request.seed);
    case SourceKind::kAssistant:
      return plan_assistant(request);
    default:
      return {};
  }
}

Source TaskPlanner::plan_assistant(const StudentRequest& student) {
  StudentRequest request = student;
  request.seed = assistant_seed(experiment_, task_.name, student.seed);
  const Features& rows = features_of(*experiment_.assistant);
  const auto place = std::make_pair(request.method->label, request.seed);
  if (const auto found = assistants_.find(place); found != assistants_.end()) {
    return {SourceKind::kAssistant, &found->second, &rows};
  }
  const Source teacher = trains_assistant(experiment_) ? plan_teacher(request.seed) : Source{};
  plan_stored(request, teacher);
  const StageKey key = assistant_key(request, rows, teacher.model);
  if (is_new(key)) {  // methods with the same options share it
    const auto method = teacher.model ? make_method(request) : nullptr;
    const WorkPlan& work =
        plan_model_work(kAssistant, assistant_model(experiment_, task_, request.seed), rows,
                        method.get(), experiment_.assistant_train_of(task_.name),
                        teacher.model ? outputs_memory(request, teacher.kind, rows) : 0);
    add_stage(key, fmt::format("{} seed {}", task_.name, request.seed),
              run_bytes(work, rows.store));
  }
  const auto made = assistants_.emplace(place, teacher_at(dry_.out, key)).first;
  return {SourceKind::kAssistant, &made->second, &rows};
}

Source TaskPlanner::plan_teacher(int64_t student_seed) {
  const int64_t seed = teacher_seed(experiment_, task_.name, student_seed);
  const Features& rows = features_of(*experiment_.teacher);
  if (const auto found = teachers_.find(seed); found != teachers_.end()) {
    return {SourceKind::kTeacher, &found->second, &rows};
  }
  const StageKey key = teacher_key(experiment_, task_, seed, rows);
  if (is_new(key)) {  // a frozen one is the same for all seeds
    const auto finetune = find_method("finetune").make(Options{});
    const WorkPlan& work = plan_model_work(kTeacher, teacher_model(experiment_, task_, seed), rows,
                                           experiment_.teacher->train ? finetune.get() : nullptr,
                                           experiment_.teacher_train_of(task_.name), 0);
    add_stage(key, fmt::format("{} seed {}", task_.name, seed), run_bytes(work, rows.store));
  }
  const auto made = teachers_.emplace(seed, teacher_at(dry_.out, key)).first;
  return {SourceKind::kTeacher, &made->second, &rows};
}

// The first teacher (or assistant) of a task is worked out, the others add their seeds. `method`:
// null when it is taken as it is; `outputs`: of its own teacher, in memory.
const WorkPlan& TaskPlanner::plan_model_work(const std::string& role, const ModelRequest& request,
                                             const Features& rows, Method* method,
                                             const TrainSettings& settings, int64_t outputs) {
  const auto seed = static_cast<int64_t>(request.seed);
  const auto same = std::find_if(plan_.work.begin(), plan_.work.end(), [&](const WorkPlan& w) {
    return w.task == task_.name && w.label == role;
  });
  if (same != plan_.work.end()) {
    same->seeds.push_back(seed);
    return *same;
  }
  WorkPlan work{task_.name, role, {seed}, 0, {}, outputs};
  const auto model = build_model(request, dry_);
  work.parameters = model->parameters().layout().parameter_count();
  if (method) plan_training_of(work, *method, {{kStudent, model.get()}}, rows, settings);
  const auto first_student =
      std::find_if(plan_.work.begin(), plan_.work.end(), [&](const WorkPlan& w) {
        return w.task == task_.name && w.label != kTeacher && w.label != kAssistant;
      });
  return *plan_.work.insert(first_student, std::move(work));
}

}  // namespace kdbench
