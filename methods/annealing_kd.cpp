// SPDX-License-Identifier: MIT
#include "methods/annealing_kd.h"

#include <fmt/core.h>

#include <algorithm>

#include "io/base/error.h"
#include "methods/entries.h"
#include "methods/finetune.h"
#include "methods/losses.h"
#include "methods/options/option_specs.h"

namespace kdbench {
namespace {

constexpr const char* kRecipe = "GLUE recipe of the authors' program";

class AnnealingKd : public Method {
 public:
  explicit AnnealingKd(const Options& options)
      : phase1_epochs_(options.get<int64_t>("phase1_epochs")),
        phase2_epochs_(options.get<int64_t>("phase2_epochs")),
        max_temperature_(options.get<int64_t>("max_temperature")),
        from_best_(options.get<std::string>("phase2_start") == "best") {}

  TeacherNeeds teacher_needs(const ModelShapes&) const override {
    TeacherNeeds needs;
    needs.teacher = true;
    needs.logits = true;
    return needs;
  }

  void validate(const ModelShapes&) const override {
    if (max_temperature_ <= phase1_epochs_) return;
    throw_user_error("method annealing-kd: max_temperature",
                     fmt::format("is {}, but phase 1 has only {} epochs: each temperature needs at "
                                 "least one",
                                 max_temperature_, phase1_epochs_),
                     "raise phase1_epochs or lower max_temperature");
  }

  std::vector<Phase> phases(const Inputs& inputs) override {
    Model& student = *inputs.models.at(kStudent);
    return {annealing(student), tuning(student)};
  }

 private:
  Phase annealing(Model& student) const {
    Phase phase;
    phase.name = "annealing";
    phase.epochs = phase1_epochs_;
    phase.updates.push_back(
        {kStudent, [this, &student](const StepContext& context, const Batch& batch) {
           const double scale = annealing_scale(context.epoch, phase1_epochs_, max_temperature_);
           const at::Tensor error = annealed_logit_error(
               student.forward(batch, context.train()).logits,
               batch.dense_field(field::kTeacherLogits), scale, batch.global_rows);
           // Terms of shares are added: each share brings its part of the one number.
           const double part =
               scale * static_cast<double>(batch.rows()) / static_cast<double>(batch.global_rows);
           return Loss{error, {{"mse", error}, {"scale", at::tensor(part, at::kDouble)}}};
         }});
    return phase;
  }

  Phase tuning(Model& student) const {
    Phase phase;
    phase.name = "hard-labels";
    phase.epochs = phase2_epochs_;
    phase.start = from_best_ ? StartWeights::kBestOfPreviousPhase : StartWeights::kCurrent;
    phase.updates.push_back(hard_label_update(student));
    return phase;
  }

  int64_t phase1_epochs_, phase2_epochs_, max_temperature_;
  bool from_best_;
};

}  // namespace

double annealing_scale(int64_t epoch, int64_t phase1_epochs, int64_t max_temperature) {
  const int64_t epochs_each = phase1_epochs / max_temperature;
  const int64_t counter = std::min(1 + epoch / epochs_each, max_temperature);
  return static_cast<double>(counter) / static_cast<double>(max_temperature);
}

at::Tensor annealed_logit_error(const at::Tensor& student, const at::Tensor& teacher, double scale,
                                int64_t global_rows) {
  return mean_logit_error(student, scale * teacher, global_rows);
}

MethodEntry annealing_kd_entry() {
  return {"annealing-kd",
          "Regression of annealed teacher logits, then hard labels (Jafari et al. 2021)",
          {option::count("phase1_epochs", 14, 1, "epochs of regression; wins over train.epochs",
                         kRecipe),
           option::count("phase2_epochs", 4, 1, "epochs on hard labels; wins over train.epochs",
                         kRecipe),
           option::count("max_temperature", 7, 1,
                         "steps in which the teacher's logits grow to full size", kRecipe),
           option::choice("phase2_start", "best", {"best", "last"},
                          "weights that phase 2 begins with: phase 1's best on dev (selected by "
                          "best_metric), or its last",
                          "the authors' program")},
          [](const Options& options) { return std::make_unique<AnnealingKd>(options); }};
}

}  // namespace kdbench
