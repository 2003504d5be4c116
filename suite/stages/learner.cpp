// SPDX-License-Identifier: MIT
#include "suite/stages/learner.h"

#include "suite/stages/source.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// Estimates of what a run writes beside its model.
constexpr int64_t kRecordBytes = 8 << 10;  // of run.json
constexpr int64_t kEventBytes = 300;       // of events.jsonl, a step
constexpr int64_t kPredictionBytes = 24;   // of both tables, a row
constexpr int64_t kPredictionOutput = 14;  // and a logit of it

// What it learns from: a model that others trained, by its hashes.
nlohmann::json source_record(const Learner& learner, const Workspace& workspace) {
  if (!learner.source || !learner.source->model || !learner.resolved->needs.teacher) return {};
  ModelStage& model = *learner.source->model;
  return {{"stage", model.hash()}, {"checkpoint", model.checkpoint_sha256(workspace)}};
}

TrainingRun describe_run(const Learner& learner, const nlohmann::json& inputs,
                         const fs::path& folder, const std::string& run_id,
                         const Workspace& workspace) {
  TrainingRun run;
  run.folder = folder;
  run.run_id = run_id;
  run.experiment = learner.experiment;
  run.role = learner.role;
  run.label = learner.label;
  run.method_name = learner.method_name;
  run.task = learner.task;
  run.seed = learner.seed;
  run.settings = learner.train;
  run.config = learner.config();
  run.whole = learner.whole;
  run.grid = learner.grid;
  run.inputs = inputs;
  run.data = describe(learner.rows->rows(workspace));
  return run;
}

// The models as they begin, now that the source is there.
ModelRequest first_model(const Learner& learner, const Workspace& workspace) {
  ModelRequest model = learner.model;
  if (learner.source && learner.source->model) {
    model.teacher_folder = learner.source->model->model_folder(workspace);
  }
  return model;
}

std::optional<ModelRequest> first_beside(const Learner& learner, const Workspace& workspace) {
  std::optional<ModelRequest> beside = learner.beside;
  if (beside && learner.resolved->needs.teacher) {  // it goes on from the fine-tuned weights
    beside->settings.weights = learner.source->model->model_folder(workspace);
    beside->settings.init = "weights";
  }
  return beside;
}

// Of a rank, beside the training itself: a teacher that runs beside it, FSD's memory.
int64_t source_bytes(const Learner& learner, TrainingCosts& costs) {
  if (!learner.source) return 0;
  const ResolvedMethod& method = *learner.resolved;
  const int64_t memory = feature_memory_bytes(method.needs.memory, method.shapes);
  if (!learner.source->online) return memory;
  return memory + values_bytes(costs.outline(learner.source->model->learner().model));
}

int64_t stored_outputs_bytes(const Learner& learner, const FeatureStore& rows) {
  if (!learner.source || learner.source->online) return 0;
  const ResolvedMethod& method = *learner.resolved;
  return teacher_outputs_bytes(rows.split("train")->rows(), method.needs, method.shapes);
}

int64_t run_bytes(const Learner& learner, const TrainingSummary& summary,
                  const FeatureStore& rows) {
  int64_t bytes = kRecordBytes + kEventBytes * summary.cost.steps;
  if (learner.keep_model) bytes += int64_t{sizeof(float)} * summary.parameters;
  for (const auto& [name, split] : rows.splits) {
    if (name == "train") continue;
    bytes += split->rows() * (kPredictionBytes + kPredictionOutput * learner.task->classes());
  }
  return bytes;
}

}  // namespace

void need_all(Stage& stage, const Learner& learner) {
  stage.need(*learner.rows);
  if (!learner.source) return;
  const Source& source = *learner.source;
  if (source.model) stage.need(*source.model);
  if (source.online) stage.need(source.model->rows());
  if (source.stored) stage.need(*source.stored);
  if (source.memory) stage.need(*source.memory);
}

bool execute(const Learner& learner, const nlohmann::json& inputs, const fs::path& folder,
             const std::string& run_id, const Workspace& workspace) {
  TrainingRun run = describe_run(learner, inputs, folder, run_id, workspace);
  run.teacher = source_record(learner, workspace);
  const ModelRequest request = first_model(learner, workspace);
  const auto model = build_model(request, workspace);
  run.models = {{kStudent, model.get()}};
  std::unique_ptr<Model> beside;
  if (const auto second = first_beside(learner, workspace)) {
    beside = build_model(*second, workspace);
    run.models[kTeacher] = beside.get();
  }
  std::unique_ptr<Method> method;
  if (learner.method) method = learner.method();
  run.method = method.get();
  run.features = &learner.rows->rows(workspace).store;
  SourceOutputs outputs;
  if (learner.source) {
    outputs = read_source(*learner.source, *learner.resolved, *learner.rows, workspace);
  }
  run.teacher_outputs = outputs.stored;
  run.online_teacher = outputs.online;
  run.memory = outputs.memory;
  run.keep_model = learner.keep_model;
  if (run.keep_model) run.tokenizer = tokenizer_folder(request.settings);
  return execute(run, workspace);
}

void record_failure(const Learner& learner, const nlohmann::json& inputs, const fs::path& folder,
                    const std::string& run_id, const std::string& reason,
                    const Workspace& workspace) {
  TrainingRun run = describe_run(learner, inputs, folder, run_id, workspace);
  record_failure(run, reason, workspace);
}

void check(const Learner& learner, Inspection& inspection) {
  const ModelSettings* teacher = nullptr;
  if (learner.resolved && learner.resolved->experiment->teacher) {
    teacher = &learner.resolved->experiment->teacher->model;
  }
  inspection.models.add(learner.model.settings, teacher, learner.model.frozen, *learner.task);
  if (learner.beside) {
    inspection.models.add(learner.beside->settings, nullptr, false, *learner.task);
  }
  if (learner.source) {
    check_source(*learner.source, *learner.resolved, *learner.rows, inspection);
  }
}

Cost cost_of(const Learner& learner, TrainingCosts& costs, const Workspace& workspace) {
  const FeatureStore& rows = learner.rows->rows(workspace).store;
  TrainingOutline outline{{{kStudent, learner.model}}, learner.method, &rows, learner.train};
  if (learner.beside) outline.models[kTeacher] = *learner.beside;
  const TrainingSummary& summary = costs.summary(learner.task->name + " " + learner.label, outline);
  Cost cost;
  cost.disk_bytes = run_bytes(learner, summary, rows);
  cost.memory_bytes = summary.cost.ram.total() + source_bytes(learner, costs);
  cost.outputs_bytes = stored_outputs_bytes(learner, rows);
  cost.flops = summary.cost.flops;
  cost.work = {learner.label, learner.seed, &summary};
  return cost;
}

}  // namespace kdbench
