// SPDX-License-Identifier: MIT
#include "methods/kd.h"

#include "methods/losses.h"

namespace kdbench {
namespace {

class VanillaKd : public Method {
 public:
  explicit VanillaKd(const Options& options) : options_(options) {}

  TeacherNeeds teacher_needs(const ModelShapes&) const override {
    TeacherNeeds needs;
    needs.teacher = true;
    needs.logits = true;
    return needs;
  }

  std::vector<Phase> phases(const Inputs& inputs) override {
    Phase phase;
    phase.name = "distill";
    phase.updates.push_back(distillation_update(*inputs.models.at(kStudent), options_));
    return {phase};
  }

 private:
  Options options_;
};

}  // namespace

std::vector<OptionSpec> kd_options() {
  OptionSpec alpha{"alpha", 0.5, "weight of the soft term; the hard labels weigh 1 - alpha",
                   "PKD's search {0.2, 0.5, 0.7} (Sun et al. 2019), its middle"};
  alpha.minimum = 0.0;
  alpha.maximum = 1.0;
  OptionSpec temperature{"temperature", 5.0,
                         "divides both models' logits; the soft term is multiplied by its square",
                         "PKD's search {5, 10, 20} (Sun et al. 2019), its first"};
  temperature.minimum = 1e-3;
  return {alpha, temperature};
}

Update distillation_update(Model& student, const Options& options) {
  const auto alpha = options.get<double>("alpha"), temperature = options.get<double>("temperature");
  return {kStudent, [&student, alpha, temperature](const StepContext& context, const Batch& batch) {
            const at::Tensor logits = student.forward(batch, context.train()).logits;
            const at::Tensor hard = task_loss(logits, batch.labels, batch.global_rows);
            const at::Tensor soft = distillation_loss(
                logits, batch.dense_field(field::kTeacherLogits), temperature, batch.global_rows);
            return Loss{alpha * soft + (1.0 - alpha) * hard,
                        {{task_loss_name(batch.labels), hard}, {"kd", soft}}};
          }};
}

MethodEntry kd_entry() {
  return {"kd", "Softened logits of a frozen teacher (Hinton et al. 2015)", kd_options(),
          [](const Options& options) { return std::make_unique<VanillaKd>(options); }};
}

}  // namespace kdbench
