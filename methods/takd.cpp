// SPDX-License-Identifier: MIT
#include "methods/takd.h"

#include "methods/kd.h"

namespace kdbench {
namespace {

class AssistantKd : public Method {
 public:
  explicit AssistantKd(const Options& options) : options_(options) {}

  TeacherNeeds teacher_needs(const ModelShapes&) const override {
    TeacherNeeds needs;
    needs.teacher = true;
    needs.logits = true;
    needs.from_assistant = true;
    return needs;
  }

  // The assistant's training and the student's alike: each sees its own teacher's logits.
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

MethodEntry takd_entry() {
  return {"takd", "Teacher, then a teaching assistant, then the student (Mirzadeh et al. 2020)",
          kd_options(),
          [](const Options& options) { return std::make_unique<AssistantKd>(options); }};
}

}  // namespace kdbench
