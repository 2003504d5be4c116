// SPDX-License-Identifier: MIT
#include "methods/masked_token.h"

#include <algorithm>
#include <stdexcept>

#include "methods/models/masked_model.h"

namespace kdbench {
namespace {

class MaskedToken : public Method {
 public:
  explicit MaskedToken(const Masking& masking) : masking_(masking) {}

  TeacherNeeds teacher_needs(const ModelShapes&) const override { return {}; }

  std::vector<Phase> phases(const Inputs& inputs) override {
    auto* model = dynamic_cast<MaskedModel*>(inputs.models.at(kStudent));
    if (!model) throw std::logic_error("masked_token: the model fills no masks");
    Phase phase;
    phase.name = "text";
    phase.updates = {
        {kStudent, [model, masking = masking_](const StepContext& context, const Batch& batch) {
           const at::Tensor losses =
               model->target_losses(masking(batch, context.key), context.train());
           // A batch of empty texts has none.
           const auto targets = static_cast<double>(std::max<int64_t>(1, batch.global_targets));
           const at::Tensor ce = losses.sum() / targets;
           return Loss{ce, {{"ce", ce}}};
         }}};
    return {phase};
  }

 private:
  Masking masking_;
};

}  // namespace

std::unique_ptr<Method> make_masked_token(const Masking& masking) {
  return std::make_unique<MaskedToken>(masking);
}

}  // namespace kdbench
