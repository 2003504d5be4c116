// SPDX-License-Identifier: MIT
#include "tests/bench/training_step.h"

#include <utility>
#include <vector>

#include "io/stores/teacher_store.h"
#include "io/tasks/task.h"
#include "methods/registry.h"
#include "suite/training/trainer.h"
#include "tests/bench/measure.h"
#include "tests/support/teacher_states.h"

namespace kdbench {
namespace {

constexpr int64_t kSteps = 3;  // of one run of the trainer; each phase's first is not counted

std::unique_ptr<Method> make(const MethodEntry& entry, std::map<std::string, OptionValue> options) {
  for (const auto& option : entry.options) options.try_emplace(option.name, option.fallback);
  return entry.make(Options(std::move(options)));
}

std::shared_ptr<const TeacherSplit> make_teacher_outputs(const FeatureSplit& features,
                                                         const TeacherNeeds& needs,
                                                         const Shape& teacher) {
  TeacherSlice split;
  split.name = features.name;
  split.source_sha256 = features.source_sha256;
  split.row_ids.assign(features.row_ids.begin(), features.row_ids.end());
  split.label_order = {"0", "1"};
  split.classes = 2;
  split.cls_layers = needs.cls_layers;
  split.hidden_size = teacher.hidden;
  const auto rows = static_cast<size_t>(features.rows());
  for (size_t i = 0; i < 2 * rows; ++i) split.logits.push_back(i % 3 ? 0.5F : -0.5F);
  split.cls.resize(rows * needs.cls_layers.size() * static_cast<size_t>(teacher.hidden));
  for (size_t i = 0; i < split.cls.size(); ++i) split.cls[i] = i % 3 ? 0.5F : -0.5F;
  return std::make_shared<TeacherSplit>(std::move(split));
}

std::unique_ptr<Dataset> make_data(const LengthMix& mix, const StepSizes& sizes,
                                   const TeacherNeeds& needs) {
  const auto features = make_features(mix, sizes.student);
  auto data =
      make_dataset(features, {"0", "1"},
                   needs.teacher ? make_teacher_outputs(*features, needs, sizes.teacher) : nullptr);
  if (needs.hidden_layers.empty()) return data;
  return testing::with_made_up_states(
      std::move(data), static_cast<int64_t>(needs.hidden_layers.size()), sizes.teacher.hidden);
}

}  // namespace

TrainingStep::TrainingStep(const std::string& method, const StepSizes& sizes, const LengthMix& mix,
                           std::map<std::string, OptionValue> changed)
    : method_(make(find_method(method), std::move(changed))),
      collectives_(make_collectives(world(), bench_device())) {
  ModelShapes shapes;
  shapes.student = config_of(sizes.student);
  shapes.teacher = config_of(sizes.teacher);
  method_->validate(shapes);
  const TeacherNeeds needs = method_->teacher_needs(shapes);
  data_ = make_data(mix, sizes, needs);
  student_ = make_bench_model(sizes.student, method_->extra_parameters(shapes));
  models_[kStudent] = student_.get();
  if (needs.feature_memory.centroids > 0) {
    const int64_t width = shapes.max_seq_length * sizes.teacher.hidden;
    memory_ = FeatureMemory{at::randn({needs.feature_memory.centroids, width}), {}};
  }
  if (!needs.trains_teacher) return;
  teacher_ = make_bench_model(sizes.teacher);
  models_[kTeacher] = teacher_.get();
}

double TrainingStep::run() {
  TrainSettings settings;
  settings.batch_size = rows();
  settings.epochs = kSteps;  // of one step each
  double seconds = 0.0;
  int64_t steps = 0;
  Observer observer;
  observer.step = [&](const StepRecord& record) {
    if (record.step == 0) return;  // moments and buffers are new
    seconds += record.step_s;
    ++steps;
  };
  const TaskEvaluator evaluator(find_task("MRPC"), settings.best_metric);
  train(*method_, {models_, memory_}, {&evaluator, data_.get(), {}}, settings, 1, world(),
        *collectives_, observer);
  return seconds / static_cast<double>(steps);
}

}  // namespace kdbench
