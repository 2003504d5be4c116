// SPDX-License-Identifier: MIT
#include "suite/stages/plan.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "io/dataset.h"
#include "io/error.h"
#include "methods/registry.h"
#include "suite/config/method_models.h"
#include "suite/machine/machine.h"
#include "suite/results/provenance.h"
#include "suite/results/run_record.h"
#include "suite/stages/assistant.h"
#include "suite/stages/features.h"
#include "suite/stages/memory.h"
#include "suite/stages/output_budget.h"
#include "suite/stages/pipeline.h"
#include "suite/stages/student.h"
#include "suite/stages/synthetic.h"
#include "suite/stages/teacher_outputs.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// Estimates of what a run writes beside its model.
constexpr int64_t kEventBytes = 300;       // of events.jsonl, a step
constexpr int64_t kPredictionBytes = 24;   // of both tables, a row
constexpr int64_t kPredictionOutput = 14;  // and a logit of it

int64_t memory_of(const FeatureSplit& split) {
  const auto labels = static_cast<int64_t>(split.labels.size() * sizeof(std::string));
  return 4 * static_cast<int64_t>(split.tokens.size()) + 20 * split.rows() + labels;
}

SplitPlan describe(const Task& task, const FeatureSplit& split) {
  SplitPlan plan{task.name, split.name, split.rows(), static_cast<int64_t>(split.tokens.size()), 0};
  for (int64_t row = 0; row < split.rows(); ++row) {
    plan.longest = std::max(plan.longest, split.offsets[row + 1] - split.offsets[row]);
  }
  return plan;
}

// The plan of one task: what TaskPipeline (pipeline.cpp) does, in the same order.
class TaskPlanner {
 public:
  TaskPlanner(const Experiment& experiment, const Task& task, const Workspace& dry, Plan& plan,
              Problems& problems)
      : experiment_(experiment), task_(task), dry_(dry), plan_(plan), problems_(problems) {}

  // Reads the rows, as the run does before anything is trained.
  void read() {
    for (const auto& method : experiment_.methods) {
      problems_.collect([&] { features(tokenizer_of(method)); });
    }
    if (experiment_.teacher) {
      problems_.collect([&] { features(tokenizer_folder(experiment_.teacher->model)); });
    }
    if (experiment_.assistant) {
      problems_.collect([&] { features(tokenizer_folder(experiment_.assistant->model)); });
    }
  }

  void plan() {
    problems_.collect([&] { decide_online(); });
    for (const auto& method : experiment_.methods) {
      problems_.collect([&] { plan_method(method); });
    }
  }

 private:
  fs::path tokenizer_of(const MethodSettings& method) const {
    return tokenizer_folder(student_of(experiment_, method));
  }

  const Features& features(const fs::path& tokenizer) {
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
    const bool there = stage_is_there(dry_.out, key);
    Features rows{stage_folder(dry_.out, key) / "features.h5", key.hash(), {}};
    if (there) {
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
    add_features(rows, there);
    return features_.emplace(tokenizer, std::move(rows)).first->second;
  }

  // Models with equal tokenizers share a stage, but each has the rows in memory.
  void add_features(const Features& rows, bool there) {
    const bool shared = !feature_hashes_.insert(rows.hash).second;
    int64_t bytes = 0;
    for (const auto& split : ordered_splits(rows.store)) {
      plan_.features_bytes += memory_of(*split);
      bytes += stored_bytes(*split);
      if (!shared) plan_.splits.push_back(describe(task_, *split));
    }
    if (!shared) plan_.stages.push_back({"features", task_.name, rows.hash, there, bytes});
  }

  // In the task's order: train, dev, test.
  std::vector<std::shared_ptr<const FeatureSplit>> ordered_splits(const FeatureStore& store) const {
    std::vector<std::shared_ptr<const FeatureSplit>> splits;
    for (const auto& spec : task_.splits) {
      const auto found = store.splits.find(spec.name);
      if (found != store.splits.end()) splits.push_back(found->second);
    }
    return splits;
  }

  void decide_online() {
    if (!experiment_.teacher) return;
    const Features& rows = features(tokenizer_folder(experiment_.teacher->model));
    set_online(experiment_,
               methods_online(experiment_, task_, rows, dry_.out, plan_.limits.outputs_budget));
  }

  // Of a rank: what it reads, or the weights of the teacher that gives it.
  int64_t outputs_memory(const StudentRequest& request, const TeacherNeeds& needs,
                         const Features& rows, const ModelShapes& shapes) {
    if (request.method->teacher_outputs != "online" || !takes_outputs(needs))
      return teacher_outputs_bytes(rows.store.split("train")->rows(), needs, shapes);
    const auto model =
        build_model(needs.from_assistant ? assistant_model(experiment_, task_, request.seed)
                                         : teacher_model(experiment_, task_, request.seed),
                    dry_);
    return int64_t{sizeof(float)} * model->parameters().layout().buffer_size();
  }

  void plan_method(const MethodSettings& method) {
    const TrainSettings settings = experiment_.train_of(task_.name, method);
    const StudentRequest first{&experiment_, &task_, &method, settings.seeds.front()};
    const TeacherNeeds needs = student_needs(first);
    const Features& rows = features(tokenizer_of(method));
    WorkPlan work{task_.name, method.label, settings.seeds, 0, {}, 0};
    const ModelShapes shapes = method_shapes(experiment_, method, task_);
    work.teacher_outputs =
        outputs_memory(first, needs, rows, shapes) + memory_bytes(needs.memory, shapes);
    if (experiment_.teacher) {
      const Features& teacher_rows = features(tokenizer_folder(experiment_.teacher->model));
      check_same_tokens(first, rows, teacher_rows);
    }
    const Teacher* teacher = plan_source(first);
    const auto model = build_model(student_model(first, usable(first, teacher)), dry_);
    check_teacher_outputs_file(first, rows);
    check_memory(first, rows);
    const auto made = find_method(method.name).make(method.options);
    Models models{{kStudent, model.get()}};
    std::unique_ptr<Model> beside;
    if (const auto learning = learning_teacher(first, teacher)) {
      beside = build_model(*learning, dry_);
      models[kTeacher] = beside.get();
    }
    plan_training_of(work, *made, models, rows, settings);
    const int64_t bytes = run_bytes(work, rows.store);
    for (const int64_t seed : settings.seeds) {
      plan_run({&experiment_, &task_, &method, seed}, needs, rows, bytes);
    }
    plan_.work.push_back(std::move(work));
  }

  // A teacher whose weights the student begins with, when they exist already.
  const Teacher* usable(const StudentRequest& request, const Teacher* teacher) const {
    const bool begins_with_it = student_of(experiment_, *request.method).init_from == "teacher";
    return teacher && begins_with_it && teacher->folder.empty() ? nullptr : teacher;
  }

  void plan_training_of(WorkPlan& work, Method& method, const Models& models, const Features& rows,
                        const TrainSettings& settings) {
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

  int64_t run_bytes(const WorkPlan& work, const FeatureStore& store) const {
    int64_t bytes = int64_t{sizeof(float)} * work.parameters + kEventBytes * work.training.steps;
    for (const auto& [name, split] : store.splits) {
      if (name == "train") continue;
      bytes += split->rows() * (kPredictionBytes + kPredictionOutput * task_.classes());
    }
    return bytes;
  }

  void plan_run(const StudentRequest& request, const TeacherNeeds& needs, const Features& rows,
                int64_t bytes) {
    const Teacher* teacher = plan_source(request);
    if (teacher && needs.teacher && !request.method->teacher_outputs_file) {
      const bool assisted = needs.from_assistant;
      const auto& source = assisted ? *experiment_.assistant : *experiment_.teacher;
      if (request.method->teacher_outputs != "online") {
        plan_outputs(*teacher, assisted ? needs : shared_needs(request),
                     features(tokenizer_folder(source.model)), request);
      }
      plan_memory(*teacher, request, needs.memory, rows);
    }
    StagePlan run{"run", run_text(request), "", false, bytes};
    if (usable(request, teacher) == teacher) {
      const std::string id = student_run_id(request, rows, teacher);
      run.name = free_run_folder(dry_.out / experiment_.name / id, &run.reused).filename().string();
    }
    plan_.stages.push_back(std::move(run));
  }

  std::string run_text(const StudentRequest& request) const {
    const bool online = request.method->teacher_outputs == "online";
    return fmt::format("{} {} seed {}{}", task_.name, request.method->label, request.seed,
                       online ? ", teacher online" : "");
  }

  // Whom the student learns from; null when nobody is needed.
  const Teacher* plan_source(const StudentRequest& request) {
    if (!takes_teacher(request)) return nullptr;
    return student_needs(request).from_assistant ? &plan_assistant(request)
                                                 : &plan_teacher(request.seed);
  }

  const Teacher& plan_assistant(const StudentRequest& student) {
    StudentRequest request = student;
    request.seed = assistant_seed(experiment_, task_.name, student.seed);
    const auto place = std::make_pair(request.method->label, request.seed);
    if (const auto found = assistants_.find(place); found != assistants_.end()) {
      return found->second;
    }
    const Features& rows = features(tokenizer_folder(experiment_.assistant->model));
    const Teacher* teacher = trains_assistant(experiment_) ? &plan_teacher(request.seed) : nullptr;
    if (teacher && request.method->teacher_outputs != "online") {
      plan_outputs(*teacher, shared_needs(request),
                   features(tokenizer_folder(experiment_.teacher->model)), request);
    }
    const StageKey key = assistant_key(request, rows, teacher);
    const auto method = find_method(request.method->name).make(request.method->options);
    WorkPlan work = plan_model_work(
        kAssistant, request.seed, assistant_model(experiment_, task_, request.seed), rows,
        teacher ? method.get() : nullptr, experiment_.assistant_train_of(task_.name));
    plan_.stages.push_back({kAssistant, fmt::format("{} seed {}", task_.name, request.seed),
                            key.hash(), stage_is_there(dry_.out, key),
                            run_bytes(work, rows.store)});
    return assistants_.emplace(place, teacher_at(dry_.out, key)).first->second;
  }

  const Teacher& plan_teacher(int64_t student_seed) {
    const int64_t seed = teacher_seed(experiment_, task_.name, student_seed);
    if (const auto found = teachers_.find(seed); found != teachers_.end()) return found->second;
    const Features& rows = features(tokenizer_folder(experiment_.teacher->model));
    const StageKey key = teacher_key(experiment_, task_, seed, rows);
    const WorkPlan& work = plan_teacher_work(seed, rows);
    plan_.stages.push_back({"teacher", fmt::format("{} seed {}", task_.name, seed), key.hash(),
                            stage_is_there(dry_.out, key), run_bytes(work, rows.store)});
    return teachers_.emplace(seed, teacher_at(dry_.out, key)).first->second;
  }

  const WorkPlan& plan_teacher_work(int64_t seed, const Features& rows) {
    const auto finetune = find_method("finetune").make(Options{});
    return plan_model_work(kTeacher, seed, teacher_model(experiment_, task_, seed), rows,
                           experiment_.teacher->train ? finetune.get() : nullptr,
                           experiment_.teacher_train_of(task_.name));
  }

  // The first teacher (or assistant) of a task is worked out, the others add their seeds. `method`:
  // null when it is taken as it is.
  const WorkPlan& plan_model_work(const std::string& role, int64_t seed,
                                  const ModelRequest& request, const Features& rows, Method* method,
                                  const TrainSettings& settings) {
    const auto same = std::find_if(plan_.work.begin(), plan_.work.end(), [&](const WorkPlan& w) {
      return w.task == task_.name && w.label == role;
    });
    if (same != plan_.work.end()) {
      same->seeds.push_back(seed);
      return *same;
    }
    WorkPlan work{task_.name, role, {seed}, 0, {}, 0};
    const auto model = build_model(request, dry_);
    work.parameters = model->parameters().layout().parameter_count();
    if (method) plan_training_of(work, *method, {{kStudent, model.get()}}, rows, settings);
    const auto first_student =
        std::find_if(plan_.work.begin(), plan_.work.end(), [&](const WorkPlan& w) {
          return w.task == task_.name && w.label != kTeacher && w.label != kAssistant;
        });
    return *plan_.work.insert(first_student, std::move(work));
  }

  // What is stored of a teacher or an assistant; `rows`: as its tokenizer cuts them.
  void plan_outputs(const Teacher& teacher, const TeacherNeeds& needs, const Features& rows,
                    const StudentRequest& request) {
    const int64_t bytes = teacher_store_bytes(*rows.store.split("train"), needs,
                                              method_shapes(experiment_, *request.method, task_));
    const StageKey key = teacher_outputs_key(teacher, needs, rows);
    if (bytes == 0 || !outputs_.insert(key.hash()).second) return;
    plan_.stages.push_back({"teacher-outputs", outputs_text(needs, request.seed), key.hash(),
                            stage_is_there(dry_.out, key), bytes});
  }

  void plan_memory(const Teacher& teacher, const StudentRequest& request, const MemoryNeeds& needs,
                   const Features& rows) {
    if (needs.centroids == 0 || !needs.file.empty()) return;
    const StageKey key = memory_key(teacher.hash, needs, rows);
    if (!outputs_.insert(key.hash()).second) return;
    const int64_t seed = teacher_seed(experiment_, task_.name, request.seed);
    plan_.stages.push_back(
        {"memory",
         fmt::format("{} seed {}: {} centroids of layer {}", task_.name, seed, needs.centroids,
                     needs.layer),
         key.hash(), stage_is_there(dry_.out, key),
         memory_bytes(needs, method_shapes(experiment_, *request.method, task_))});
  }

  std::string outputs_text(const TeacherNeeds& needs, int64_t student_seed) const {
    const int64_t seed = teacher_seed(experiment_, task_.name, student_seed);
    std::string text = fmt::format("{} seed {}: logits", task_.name, seed);
    if (!needs.cls_layers.empty()) {
      text += fmt::format(", [CLS] of {} layers", needs.cls_layers.size());
    }
    if (!needs.hidden_layers.empty()) {
      text += fmt::format(", every token of {} layer{}", needs.hidden_layers.size(),
                          needs.hidden_layers.size() == 1 ? "" : "s");
    }
    return text;
  }

  Experiment experiment_;  // with what is decided for this task
  const Task& task_;
  const Workspace& dry_;
  Plan& plan_;
  Problems& problems_;
  std::map<fs::path, Features> features_;
  std::map<int64_t, Teacher> teachers_;
  std::map<std::pair<std::string, int64_t>, Teacher> assistants_;
  std::set<std::string> feature_hashes_, outputs_;
};

// The same mistake shows in several places: each is listed once.
void throw_each_once(const Problems& problems, const std::string& where) {
  Problems unique;
  std::set<std::string> listed;
  for (const auto& line : problems.lines()) {
    if (listed.insert(line).second) unique.add("", line);
  }
  unique.throw_if_any(where);
}

// Takes the embedded corpora for the time of a plan, so that the results' folder stays untouched.
class TemporaryFolder {
 public:
  // Makes none where none is needed: `path` is then empty.
  explicit TemporaryFolder(bool needed) {
    if (!needed) return;
    std::string name = (fs::temp_directory_path() / "kdbench-plan-XXXXXX").string();
    if (!mkdtemp(name.data())) throw_machine_error(name, "cannot be made", "set TMPDIR");
    path = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path.empty()) fs::remove_all(path, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  fs::path path;
};

// The stage whose folder in `out` is named as the temporary one.
StagePlan plan_corpora(const Experiment& experiment, const fs::path& out) {
  const std::string hash = experiment.data.root.filename().string();
  StagePlan stage{"synthetic", "the embedded corpora", hash,
                  fs::exists(out / ".stages" / hash / "stage.json"), 0};
  for (const auto& entry : fs::recursive_directory_iterator(experiment.data.root)) {
    if (entry.is_regular_file()) stage.bytes += static_cast<int64_t>(entry.file_size());
  }
  return stage;
}

PlanLimits limits_of(int ranks, const Workspace& workspace) {
  PlanLimits limits;
  limits.ranks_per_host = ranks == workspace.control.size() ? workspace.control.local_size()
                                                            : std::min(ranks, usable_cpus());
  limits.available_memory = available_memory_bytes();
  limits.free_disk = disk_of(workspace.out).free_bytes;
  limits.outputs_budget =
      teacher_outputs_budget(limits.free_disk, limits.available_memory, limits.ranks_per_host);
  return limits;
}

}  // namespace

int64_t Plan::peak_bytes() const {
  int64_t largest = 0;
  for (const auto& one : work) {
    largest = std::max(largest, one.training.memory.total() + one.teacher_outputs);
  }
  return program_bytes + features_bytes + largest;
}

int64_t Plan::new_disk_bytes() const {
  int64_t bytes = 0;
  for (const auto& stage : stages) bytes += stage.reused ? 0 : stage.bytes;
  return bytes;
}

Plan make_plan(const Experiment& asked, int ranks, const Workspace& workspace) {
  Plan plan;
  plan.ranks = ranks;
  plan.program_bytes = peak_memory_bytes();
  plan.limits = limits_of(ranks, workspace);
  const Control alone(MPI_COMM_SELF);
  const auto collectives = make_single_collectives();
  const Workspace dry{alone,         *collectives,      at::kMeta, workspace.threads,
                      workspace.out, workspace.command, true};
  const TemporaryFolder temporary(asked.data.synthetic);
  const Experiment experiment = with_data_in_place(
      asked, {alone, *collectives, at::kMeta, workspace.threads, temporary.path, "", true});
  if (experiment.data.synthetic) plan.stages.push_back(plan_corpora(experiment, workspace.out));
  Problems problems;
  check_models(experiment, problems);
  std::vector<TaskPlanner> tasks;
  for (const auto& name : experiment.data.tasks) {
    tasks.emplace_back(experiment, find_task(name), dry, plan, problems);
  }
  for (auto& task : tasks) task.read();
  for (auto& task : tasks) task.plan();
  throw_each_once(problems, experiment.file.string());
  return plan;
}

}  // namespace kdbench
