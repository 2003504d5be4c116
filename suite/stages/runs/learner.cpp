// SPDX-License-Identifier: MIT
#include "suite/stages/runs/learner.h"

#include "suite/stages/sources/source.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// Estimates of what a run writes beside its model.
constexpr int64_t kRecordBytes = 8 << 10;  // of run.json
constexpr int64_t kEventBytes = 300;       // of events.jsonl, a step
constexpr int64_t kPredictionBytes = 24;   // of both tables, a row
constexpr int64_t kPredictionOutput = 14;  // and a logit of it

// Of a rank, beside the training itself: a teacher that runs beside it, FSD's memory.
int64_t source_bytes(const Learner& learner, TrainingCosts& costs) {
  if (!learner.source) return 0;
  const ResolvedMethod& method = *learner.resolved;
  const int64_t memory = feature_memory_bytes(method.needs.feature_memory, method.shapes);
  if (!learner.source->online) return memory;
  return memory + values_bytes(costs.outline(learner.source->model->initial()));
}

int64_t stored_outputs_bytes(const Learner& learner, const Workspace& workspace) {
  if (!learner.source || learner.source->online) return 0;
  const ResolvedMethod& method = *learner.resolved;
  return teacher_outputs_bytes(learner.training.read(workspace)->rows(), method.needs,
                               method.shapes);
}

int64_t run_bytes(const Learner& learner, const TrainingSummary& summary,
                  const FeatureStore& rows) {
  int64_t bytes = kRecordBytes + kEventBytes * summary.cost.steps;
  if (learner.keep_model) bytes += int64_t{sizeof(float)} * summary.parameters;
  for (const auto& [name, split] : rows.splits) {
    if (name == kTrainSplit) continue;
    bytes += split->rows() * (kPredictionBytes + kPredictionOutput * learner.task->classes());
  }
  return bytes;
}

// Of a teacher that runs beside the training: it sees each row once an epoch.
double online_flops(const Learner& learner, const TrainingCost& training, TrainingCosts& costs,
                    const Workspace& workspace) {
  if (!learner.source || !learner.source->online) return 0.0;
  const Source& source = *learner.source;
  return static_cast<double>(training.epochs) *
         costs.forward_flops(source.model->initial(), source.model_rows.read(workspace));
}

}  // namespace

void need_all(Stage& stage, const Learner& learner) {
  stage.need(*learner.rows);
  if (learner.training.stage) stage.need(*learner.training.stage);
  if (learner.transfer) stage.need(*learner.transfer);
  if (learner.rows_beside) stage.need(*learner.rows_beside);
  if (!learner.source) return;
  const Source& source = *learner.source;
  if (source.model) stage.need(*source.model);
  if (source.online) stage.need(*source.model_rows.stage);
  if (source.stored) stage.need(*source.stored);
  if (source.feature_memory) stage.need(*source.feature_memory);
}

void check(const Learner& learner, Inspection& inspection) {
  const ModelSettings* teacher = nullptr;
  if (learner.resolved && learner.resolved->experiment->teacher) {
    teacher = &learner.resolved->experiment->teacher->model;
  }
  inspection.models.add(learner.model.settings, teacher, learner.model.frozen, *learner.task,
                        /*language=*/learner.texts.has_value());
  if (learner.beside) {
    inspection.models.add(learner.beside->settings, nullptr, false, *learner.task);
  }
  if (learner.source) {
    check_source(*learner.source, *learner.resolved, learner.training, inspection);
  }
}

Cost cost_of(const Learner& learner, TrainingCosts& costs, const Workspace& workspace) {
  const FeatureStore& rows = learner.rows->rows(workspace).store;
  TrainingOutline outline;
  outline.models[kStudent] = learner.model;
  if (learner.beside) outline.models[kTeacher] = *learner.beside;
  outline.method = learner.method;
  outline.rows = &rows;
  if (learner.method) outline.train = learner.training.read(workspace);
  if (learner.rows_beside)
    outline.teacher_train = learner.rows_beside->rows(workspace).store.split(kTrainSplit);
  outline.settings = learner.train;
  const TrainingSummary& summary = costs.summary(learner.task->name + " " + learner.label, outline);
  Cost cost;
  cost.disk_bytes = run_bytes(learner, summary, rows);
  cost.memory_bytes = summary.cost.ram.total() + source_bytes(learner, costs);
  cost.outputs_bytes = stored_outputs_bytes(learner, workspace);
  const double beside = online_flops(learner, summary.cost, costs, workspace);
  cost.flops = summary.cost.flops + beside;
  cost.work = {learner.label, learner.seed, &summary, beside};
  return cost;
}

}  // namespace kdbench
