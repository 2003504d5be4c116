// SPDX-License-Identifier: MIT
#include "suite/models/training_costs.h"

#include <algorithm>

#include "io/batches/teacher_tokens.h"
#include "io/batches/text_dataset.h"
#include "methods/models/registry.h"

namespace kdbench {
namespace {

// Everything that a model's sizes depend on; its weights and its seed do not matter.
std::string outline_key(const InitialModel& model) {
  nlohmann::json key{to_config_json(model.config), model.task->name};
  for (const auto& extra : model.extra) key.push_back({extra.name, extra.shape});
  return key.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool has_dev_rows(const Task& task, const FeatureStore& rows) {
  const auto dev = task.dev_splits();
  return std::any_of(dev.begin(), dev.end(),
                     [&](const std::string& name) { return rows.splits.contains(name); });
}

}  // namespace

Model& TrainingCosts::outline(const InitialModel& initial) {
  auto& model = outlines_[outline_key(initial)];
  if (!model) model = outline_model(initial);
  return *model;
}

const Dataset& TrainingCosts::dataset(const SplitPointer& rows, const Model& model,
                                      const SplitPointer& teacher_rows) {
  const auto& labels = model.config().labels;
  auto& data = datasets_[{rows, teacher_rows, labels}];
  if (data) return *data;
  const bool texts = find_architecture(model.config().architecture).language_model;
  data = texts ? make_text_dataset(rows) : make_dataset(rows, labels);
  if (teacher_rows) data = with_teacher_tokens(std::move(data), make_dataset(teacher_rows, labels));
  return *data;
}

const TrainingSummary& TrainingCosts::summary(const std::string& name,
                                              const TrainingOutline& training) {
  if (const auto found = summaries_.find(name); found != summaries_.end()) return found->second;
  Models models;
  for (const auto& [role, request] : training.models) models[role] = &outline(request);
  const Model& student = *models.at(kStudent);
  TrainingSummary summary{student.parameters().layout().parameter_count(), {}};
  if (training.method) {
    const auto method = training.method();
    const Task& task = *training.models.at(kStudent).task;
    summary.cost = training_cost(
        method->phases({models}), models, dataset(training.train, student, training.teacher_train),
        training.settings, ranks_, has_dev_rows(task, *training.rows), memo_);
  }
  return summaries_.emplace(name, std::move(summary)).first->second;
}

double TrainingCosts::forward_flops(const InitialModel& model,
                                    const std::shared_ptr<const FeatureSplit>& rows) {
  Model& outlined = outline(model);
  return kdbench::forward_flops(outlined, dataset(rows, outlined), memo_);
}

int64_t values_bytes(const Model& model) {
  const ParameterLayout& layout = model.parameters().layout();
  return int64_t{sizeof(float)} * (layout.buffer_size() + layout.constant_count());
}

}  // namespace kdbench
