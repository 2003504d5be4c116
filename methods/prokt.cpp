// SPDX-License-Identifier: MIT
#include "methods/prokt.h"

#include <algorithm>

#include "methods/losses.h"

namespace kdbench {
namespace {

constexpr const char* kRecipe = "MNLI recipe of the authors' program";
constexpr const char* kProgram = "the authors' program";

// Temperature 1: the probabilities themselves.
at::Tensor divergence(const at::Tensor& learner, const at::Tensor& target, int64_t global_rows) {
  return distillation_loss(learner, target, 1.0, global_rows);
}
const char* divergence_name(const at::Tensor& labels) {
  return at::isFloatingType(labels.scalar_type()) ? "output_mse" : "kl";
}

at::Tensor constant_logits(Model& model, const Batch& batch) {
  at::NoGradGuard no_gradients;
  return model.forward(batch, StepContext::eval()).logits;
}

class ProKt : public Method {
 public:
  explicit ProKt(const Options& options)
      : move_back_weight_(options.get<double>("move_back_weight")),
        teacher_learning_rate_(options.get<double>("teacher_learning_rate")),
        zero_classifier_(options.get<bool>("zero_classifier")),
        dual_(options.get<bool>("dual")),
        multiplier_start_(options.get<double>("lambda_initialization")),
        multiplier_rate_(options.get<double>("lambda_lr")),
        bound_(options.get<double>("lambda_epsilon")) {}

  TeacherNeeds teacher_needs(const ModelShapes&) const override {
    TeacherNeeds needs;
    needs.teacher = true;
    needs.trains_teacher = true;
    return needs;
  }

  // The multiplier follows the divergence of the whole batch.
  bool needs_whole_batch() const override { return dual_; }

  std::vector<Phase> phases(const Inputs& inputs) override {
    Model &student = *inputs.models.at(kStudent), &teacher = *inputs.models.at(kTeacher);
    multiplier_ = multiplier_start_;
    if (zero_classifier_) {
      for (Model* model : {&student, &teacher}) zero_classifier(*model);
    }
    Phase phase;
    phase.name = "joint";
    phase.overrides[kTeacher].learning_rate = teacher_learning_rate_;
    phase.updates.push_back(
        {kTeacher, [this, &student, &teacher](const StepContext& context, const Batch& batch) {
           return teacher_loss(student, teacher, context, batch);
         }});
    phase.updates.push_back(
        {kStudent, [&student, &teacher](const StepContext& context, const Batch& batch) {
           return student_loss(student, teacher, context, batch);
         }});
    return {phase};
  }

 private:
  static void zero_classifier(Model& model) {
    at::NoGradGuard no_gradients;
    for (const char* name : {"classifier.weight", "classifier.bias"})
      model.parameters()[name].zero_();
  }

  Loss teacher_loss(Model& student, Model& teacher, const StepContext& context,
                    const Batch& batch) {
    const at::Tensor target = constant_logits(student, batch);
    const at::Tensor logits = teacher.forward(batch, context.train(kTeacher)).logits;
    const at::Tensor hard = task_loss(logits, batch.labels, batch.global_rows);
    const at::Tensor back = divergence(logits, target, batch.global_rows);
    const at::Tensor total = dual_ ? constrained(hard, back, context, batch)
                                   : (1.0 - move_back_weight_) * hard + move_back_weight_ * back;
    return {total, {{task_loss_name(batch.labels), hard}, {divergence_name(batch.labels), back}}};
  }

  // CE + mu (KL - epsilon): the constant counts by this share's rows.
  at::Tensor constrained(const at::Tensor& hard, const at::Tensor& back, const StepContext& context,
                         const Batch& batch) {
    const double share = static_cast<double>(batch.rows()) / static_cast<double>(batch.global_rows);
    const at::Tensor total = hard + multiplier_ * (back - bound_ * share);
    int64_t first = 0;
    const double whole =
        context.gatherer->gather(back.detach().reshape({1}), &first).sum().item<double>();
    multiplier_ = std::max(0.0, multiplier_ + multiplier_rate_ * (whole - bound_));
    return total;
  }

  // The teacher has already taken its step on this batch.
  static Loss student_loss(Model& student, Model& teacher, const StepContext& context,
                           const Batch& batch) {
    const at::Tensor target = constant_logits(teacher, batch);
    const at::Tensor logits = student.forward(batch, context.train()).logits;
    const at::Tensor loss = divergence(logits, target, batch.global_rows);
    return {loss, {{divergence_name(batch.labels), loss}}};
  }

  double move_back_weight_, teacher_learning_rate_;
  bool zero_classifier_, dual_;
  double multiplier_start_, multiplier_rate_, bound_;
  double multiplier_ = 0.0;
};

OptionSpec positive(const char* name, double fallback, const char* meaning, const char* source) {
  OptionSpec spec{name, fallback, meaning, source};
  spec.minimum = 0.0;
  return spec;
}

}  // namespace

MethodEntry prokt_entry() {
  OptionSpec move_back = positive("move_back_weight", 0.4,
                                  "lambda: how much the teacher stays near the student", kRecipe);
  move_back.maximum = 1.0;
  return {
      "prokt",
      "Teacher and student learn together, each held near the other (Shi et al. 2021)",
      {move_back,
       positive("teacher_learning_rate", 3e-5,
                "of the teacher's own optimizer; the student's "
                "is train.learning_rate",
                kRecipe),
       {"zero_classifier", true, "both classifiers begin at zero: uniform probabilities", kRecipe},
       {"dual", false, "constraint mode: CE + mu (KL - epsilon) with mu learned", kProgram},
       positive("lambda_initialization", 1.0, "mu at the start of constraint mode", kProgram),
       positive("lambda_lr", 0.001, "how fast mu follows the constraint", kProgram),
       positive("lambda_epsilon", 1.0, "epsilon, the divergence that is allowed", kProgram)},
      [](const Options& options) { return std::make_unique<ProKt>(options); }};
}

}  // namespace kdbench
