// SPDX-License-Identifier: MIT
// A whole training step by each method: batch, forward, loss, backward, sum over ranks, clipping,
// optimizer; beside the same step of plain fine-tuning. The 3-layer student learns from a 6-layer
// teacher's stored outputs, with the methods' default options.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <string>

#include "io/task.h"
#include "io/teacher_store.h"
#include "methods/registry.h"
#include "suite/training/trainer.h"
#include "tests/bench/measure.h"
#include "tests/bench/workload.h"

namespace kdbench {
namespace {

constexpr int64_t kSteps = 3;  // of one run of the trainer; each phase's first is not counted

struct StepSizes {
  const char* name;
  Shape student, teacher;
};
constexpr StepSizes kReal{"student_3x384", kStudent3x384, kMiniLm6x384};
constexpr StepSizes kTiny{"small", kSmall, {"small_teacher", 4, 64, 2, 128, 1000}};

std::unique_ptr<Method> with_defaults(const MethodEntry& entry) {
  std::map<std::string, OptionValue> values;
  for (const auto& option : entry.options) values[option.name] = option.fallback;
  return entry.make(Options(std::move(values)));
}

// Outputs of a teacher that were never computed by one.
std::shared_ptr<const TeacherSplit> make_teacher_outputs(const FeatureSplit& features,
                                                         const TeacherNeeds& needs,
                                                         const Shape& teacher) {
  auto split = std::make_shared<TeacherSplit>();
  split->name = features.name;
  split->source_sha256 = features.source_sha256;
  split->row_ids = features.row_ids;
  split->label_order = {"0", "1"};
  split->classes = 2;
  split->cls_layers = needs.cls_layers;
  split->hidden_size = teacher.hidden;
  const auto rows = static_cast<size_t>(features.rows());
  for (size_t i = 0; i < 2 * rows; ++i) split->logits.push_back(i % 3 ? 0.5F : -0.5F);
  split->cls.resize(rows * needs.cls_layers.size() * static_cast<size_t>(teacher.hidden));
  for (size_t i = 0; i < split->cls.size(); ++i) split->cls[i] = i % 3 ? 0.5F : -0.5F;
  return split;
}

// A student, its data and a method; runs the trainer again and again.
class TrainingStep {
 public:
  TrainingStep(const MethodEntry& entry, const StepSizes& sizes, const LengthMix& mix)
      : method_(with_defaults(entry)), collectives_(make_collectives(world(), at::kCPU)) {
    ModelShapes shapes;
    shapes.student = config_of(sizes.student);
    shapes.teacher = config_of(sizes.teacher);
    method_->validate(shapes);
    const TeacherNeeds needs = method_->teacher_needs(shapes);
    const auto features = make_features(mix, sizes.student);
    rows_ = features->rows();
    const auto outputs = make_teacher_outputs(*features, needs, sizes.teacher);
    data_ = make_dataset(features, shapes.student.labels, needs.teacher ? outputs : nullptr);
    student_ = make_bench_model(sizes.student, method_->extra_parameters(shapes));
    models_[kStudent] = student_.get();
    if (!needs.trains_teacher) return;
    teacher_ = make_bench_model(sizes.teacher);
    models_[kTeacher] = teacher_.get();
  }

  // Mean seconds of a step on this rank.
  double run() {
    TrainSettings settings;
    settings.batch_size = rows_;
    settings.epochs = kSteps;  // of one step each
    double seconds = 0.0;
    int64_t steps = 0;
    Observer observer;
    observer.step = [&](const StepRecord& record) {
      if (record.step == 0) return;  // moments and buffers are new
      seconds += record.step_s;
      ++steps;
    };
    train(*method_, {models_}, {&find_task("MRPC"), data_.get(), {}}, settings, 1, world(),
          *collectives_, observer);
    return seconds / static_cast<double>(steps);
  }
  int64_t rows() const { return rows_; }

 private:
  std::unique_ptr<Method> method_;
  std::unique_ptr<Collectives> collectives_;
  int64_t rows_ = 0;
  std::unique_ptr<Dataset> data_;
  std::unique_ptr<Model> student_, teacher_;
  Models models_;
};

void training_step(benchmark::State& state, const std::string& method, const StepSizes& sizes) {
  TrainingStep step(find_method(method), sizes, kMrpc);
  TrainingStep finetune(find_method("finetune"), sizes, kMrpc);
  const Seconds seconds = measure(
      state, [&] { return step.run(); }, [&] { return finetune.run(); });
  state.counters["samples_per_s"] = static_cast<double>(step.rows()) / seconds.work;
  state.counters["cost_over_finetune"] = seconds.work / seconds.yardstick;
}

[[maybe_unused]] const bool registered = [] {
  for (const auto& entry : all_methods()) {
    for (const auto& sizes : {kReal, kTiny}) {
      benchmark::RegisterBenchmark(("training_step/" + entry.name + "/" + sizes.name).c_str(),
                                   training_step, entry.name, sizes)
          ->Unit(benchmark::kMillisecond)
          ->UseManualTime();
    }
  }
  return true;
}();

}  // namespace
}  // namespace kdbench
