// SPDX-License-Identifier: MIT
#include "suite/stages/runs/run_parts.h"

#include "io/batches/teacher_labels.h"
#include "io/batches/teacher_tokens.h"
#include "io/batches/text_dataset.h"
#include "io/tokenizers/tokenizer.h"
#include "methods/models/registry.h"
#include "suite/models/build_model.h"
#include "suite/models/online_teacher.h"
#include "suite/training/precision.h"
#include "suite/training/text_evaluator.h"

namespace kdbench {
namespace {

// The student as it begins, now that the source is there.
InitialModel first_student(const Learner& learner, const Workspace& workspace) {
  InitialModel model = learner.model;
  if (learner.source && learner.source->model) {
    model.teacher_folder = learner.source->model->finished_model(workspace);
  }
  return model;
}

// The teacher that learns beside it goes on from the fine-tuned weights, where there are any.
InitialModel first_teacher(const Learner& learner, const Workspace& workspace) {
  InitialModel model = *learner.beside;
  if (learner.resolved->needs.teacher) {
    model.settings.weights = learner.source->model->finished_model(workspace);
    model.settings.init = "weights";
  }
  return model;
}

std::unique_ptr<Dataset> training_rows(const Learner& learner,
                                       const std::shared_ptr<const FeatureSplit>& rows,
                                       const SourceOutputs& source) {
  const auto& labels = learner.model.config.labels;
  auto dataset = make_dataset(rows, labels, source.stored);
  if (source.online) dataset = with_online_teacher(std::move(dataset), *source.online, labels);
  if (learner.transfer && learner.whole->transfer->labels == "teacher")
    dataset = with_teacher_labels(std::move(dataset), learner.task->scores);
  return dataset;
}

// What a language model learns and is scored on.
void read_texts(const Learner& learner, const Workspace& workspace, RunParts& parts) {
  const FeatureStore& rows = learner.rows->rows(workspace).store;
  const bool masked = find_architecture(learner.model.config.architecture).fills_masks;
  workspace.control.agree([&] {
    const auto tokenizer = load_tokenizer(tokenizer_folder(learner.model.settings, *learner.task));
    parts.evaluator = masked ? std::make_unique<TextEvaluator>(masking_of(*tokenizer))
                             : std::make_unique<TextEvaluator>(tokenizer);
    for (const auto& [name, split] : rows.splits) {
      auto texts = masked ? make_masked_dataset(split, tokenizer->mask_marks())
                          : make_text_dataset(split, learner.texts->conditioned);
      if (name == kTrainSplit) {
        parts.train = std::move(texts);
      } else {
        parts.scored[name] = std::move(texts);
      }
    }
  });
}

}  // namespace

Models RunParts::learners() const {
  Models learners;
  for (const auto& [role, model] : models) learners[role] = model.get();
  return learners;
}

TrainingData RunParts::training(const Task& task) const {
  TrainingData data;
  data.evaluator = evaluator.get();
  data.train = train.get();
  for (const auto& name : task.dev_splits()) {
    for (const auto* splits : {&predicted, &scored}) {
      if (splits->contains(name)) data.dev.emplace_back(name, splits->at(name).get());
    }
  }
  return data;
}

RunParts read_parts(const Learner& learner, const Workspace& workspace) {
  RunParts parts;
  parts.models[kStudent] = build_model(first_student(learner, workspace), workspace);
  if (learner.beside) {
    parts.models[kTeacher] = build_model(first_teacher(learner, workspace), workspace);
  }
  if (learner.method) workspace.control.agree([&] { parts.method = learner.method(); });
  if (learner.texts) {
    read_texts(learner, workspace, parts);
    return parts;
  }
  parts.evaluator = std::make_unique<TaskEvaluator>(*learner.task, learner.train.best_metric);
  const FeatureStore& rows = learner.rows->rows(workspace).store;
  if (learner.source) {
    parts.source = read_source(*learner.source, *learner.resolved, learner.training, workspace);
    if (parts.source.online) parts.source.online->type = type_of(learner.train.precision);
  }
  const FeatureStore* beside =
      learner.rows_beside ? &learner.rows_beside->rows(workspace).store : nullptr;
  const auto learned = learner.method ? learner.training.read(workspace) : nullptr;
  workspace.control.agree([&] {
    const auto& labels = learner.model.config.labels;
    const auto both = [&](std::unique_ptr<Dataset> data, const std::string& split) {
      if (!beside) return data;
      return with_teacher_tokens(std::move(data), make_dataset(beside->split(split), labels));
    };
    if (learned)
      parts.train = both(training_rows(learner, learned, parts.source), learner.training.split);
    for (const auto& [name, split] : rows.splits) {
      if (name != kTrainSplit) parts.predicted[name] = both(make_dataset(split, labels), name);
    }
  });
  return parts;
}

}  // namespace kdbench
