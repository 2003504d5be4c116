// SPDX-License-Identifier: MIT
#include "methods/kd.h"

#include "methods/entries.h"
#include "methods/losses.h"
#include "methods/options/option_specs.h"

namespace kdbench {
namespace {

class VanillaKd : public Method {
 public:
  VanillaKd(const Options& options, bool from_assistant)
      : alpha_(options.get<double>("alpha")),
        temperature_(options.get<double>("temperature")),
        from_assistant_(from_assistant) {}

  TeacherNeeds teacher_needs(const ModelShapes&) const override {
    TeacherNeeds needs;
    needs.teacher = true;
    needs.logits = true;
    needs.from_assistant = from_assistant_;
    return needs;
  }

  bool takes_labels() const override { return alpha_ < 1.0; }

  std::vector<Phase> phases(const Inputs& inputs) override {
    Model& student = *inputs.models.at(kStudent);
    Phase phase;
    phase.name = "distill";
    phase.updates.push_back(
        {kStudent, [this, &student](const StepContext& context, const Batch& batch) {
           return loss(student.forward(batch, context.train()).logits, batch);
         }});
    return {phase};
  }

 private:
  Loss loss(const at::Tensor& logits, const Batch& batch) const {
    const at::Tensor soft = distillation_loss(logits, batch.dense_field(field::kTeacherLogits),
                                              temperature_, batch.global_rows);
    return soft_and_hard_loss(alpha_, soft, logits, batch);
  }

  double alpha_, temperature_;
  bool from_assistant_;
};

}  // namespace

std::vector<OptionSpec> kd_options() {
  return {option::share("alpha", 0.5, "weight of the soft term; the hard labels weigh 1 - alpha",
                        "PKD's search {0.2, 0.5, 0.7} (Sun et al. 2019), its middle"),
          option::temperature(5.0, "PKD's search {5, 10, 20} (Sun et al. 2019), its first")};
}

Loss soft_and_hard_loss(double alpha, const at::Tensor& soft, const at::Tensor& logits,
                        const Batch& batch) {
  if (!batch.labels.defined()) return {alpha * soft, {{"kd", soft}}};
  const at::Tensor hard = task_loss(logits, batch.labels, batch.global_rows);
  return {alpha * soft + (1.0 - alpha) * hard,
          {{task_loss_name(batch.labels), hard}, {"kd", soft}}};
}

std::unique_ptr<Method> make_kd(const Options& options, bool from_assistant) {
  return std::make_unique<VanillaKd>(options, from_assistant);
}

MethodEntry kd_entry() {
  return {"kd", "Softened logits of a frozen teacher (Hinton et al. 2015)", kd_options(),
          [](const Options& options) { return make_kd(options); }};
}

}  // namespace kdbench
