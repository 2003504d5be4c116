// SPDX-License-Identifier: MIT
#include "methods/finetune.h"

#include "methods/entries.h"
#include "methods/losses.h"

namespace kdbench {
namespace {

class Finetune : public Method {
 public:
  TeacherNeeds teacher_needs(const ModelShapes&) const override { return {}; }

  std::vector<Phase> phases(const Inputs& inputs) override {
    Model& student = *inputs.models.at(kStudent);
    Phase phase;
    phase.name = "finetune";
    phase.updates.push_back(hard_label_update(student));
    return {phase};
  }
};

}  // namespace

Update hard_label_update(Model& student) {
  return {kStudent, [&student](const StepContext& context, const Batch& batch) {
            const Outputs outputs = student.forward(batch, context.train());
            const at::Tensor loss = task_loss(outputs.logits, batch.labels, batch.global_rows);
            return Loss{loss, {{task_loss_name(batch.labels), loss}}};
          }};
}

MethodEntry finetune_entry() {
  return {"finetune", "Hard labels only, no teacher (Devlin et al. 2019)", {}, [](const Options&) {
            return std::make_unique<Finetune>();
          }};
}

}  // namespace kdbench
