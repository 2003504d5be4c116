// SPDX-License-Identifier: MIT
#include "methods/next_token.h"

#include <stdexcept>

#include "methods/models/language_model.h"

namespace kdbench {
namespace {

class NextToken : public Method {
 public:
  TeacherNeeds teacher_needs(const ModelShapes&) const override { return {}; }

  std::vector<Phase> phases(const Inputs& inputs) override {
    auto* model = dynamic_cast<LanguageModel*>(inputs.models.at(kStudent));
    if (!model) throw std::logic_error("next_token: the model is no language model");
    Phase phase;
    phase.name = "text";
    phase.updates = {{kStudent, [model](const StepContext& context, const Batch& batch) -> Loss {
                        const at::Tensor losses = model->target_losses(batch, context.train());
                        const at::Tensor ce =
                            losses.sum() / static_cast<double>(batch.global_targets);
                        return {ce, {{"ce", ce}}};
                      }}};
    return {phase};
  }
};

}  // namespace

std::unique_ptr<Method> make_next_token() { return std::make_unique<NextToken>(); }

}  // namespace kdbench
