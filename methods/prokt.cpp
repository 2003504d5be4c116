// SPDX-License-Identifier: MIT
// ProKT (Shi et al. 2021, arXiv 2107.09305): teacher and student learn together. Per batch the
// teacher takes a step on the task that keeps it near the student, then the student takes a step
// towards the updated teacher:
//   teacher  (1 - lambda) CE(y, p_t) + lambda KL(p_s || p_t)
//   student  KL(p_t || p_s), and the terms of hidden_alignment.h when asked for
// Constraint mode replaces the teacher's by CE + mu (KL - epsilon), with mu <- max(0, mu + eta (KL
// - epsilon)) after each of its steps. Scores (STS-B) take squared errors for CE and KL.
#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "io/base/error.h"
#include "methods/entries.h"
#include "methods/hidden_alignment.h"
#include "methods/losses.h"
#include "methods/models/registry.h"
#include "methods/options/option_specs.h"

namespace kdbench {
namespace {

constexpr const char* kRecipe = "MNLI recipe of the authors' program";
constexpr const char* kProgram = "the authors' program";
constexpr const char* kMultiplier = "multiplier";

// Temperature 1: the probabilities themselves.
at::Tensor divergence(const at::Tensor& learner, const at::Tensor& target, int64_t global_rows) {
  return distillation_loss(learner, target, 1.0, global_rows);
}
const char* divergence_name(const at::Tensor& labels) {
  return at::isFloatingType(labels.scalar_type()) ? "output_mse" : "kl";
}

Outputs constant_outputs(Model& model, const Batch& batch, const ForwardMode& mode) {
  at::NoGradGuard no_gradients;
  return model.forward(batch, mode);
}

class ProKt : public Method {
 public:
  explicit ProKt(const Options& options)
      : move_back_weight_(options.get<double>("move_back_weight")),
        teacher_learning_rate_(options.get<double>("teacher_learning_rate")),
        from_fine_tuned_(options.get<std::string>("teacher_start") == "fine-tuned"),
        zero_classifier_(options.get<bool>("zero_classifier")),
        sep_pair_(options.get<bool>("sep_pair")),
        dual_(options.get<bool>("dual")),
        multiplier_start_(options.get<double>("lambda_initialization")),
        multiplier_rate_(options.get<double>("lambda_lr")),
        bound_(options.get<double>("lambda_epsilon")) {
    if (!options.get<bool>("hidden_alignment")) return;
    alignment_ = {options.get<bool>("align_embeddings"), options.get<bool>("align_hidden"),
                  options.get<bool>("align_attention")};
  }

  TeacherNeeds teacher_needs(const ModelShapes&) const override {
    TeacherNeeds needs;
    needs.teacher = from_fine_tuned_;
    needs.trains_teacher = true;
    needs.same_tokens = alignment_.has_value();
    return needs;
  }

  void validate(const ModelShapes& shapes) const override {
    if (sep_pair_ && find_architecture(shapes.student.architecture).pairs != RowLayout::kApart) {
      throw_user_error("method prokt: sep_pair",
                       "a " + shapes.student.architecture + " reads the texts of a pair together",
                       "it is for a bilstm student");
    }
    if (!alignment_ || !shapes.teacher) return;
    for (const ModelConfig* model : {&shapes.student, &*shapes.teacher}) {
      if (find_architecture(model->architecture).layer_states) continue;
      throw_user_error("method prokt: hidden_alignment",
                       "a " + model->architecture + " has no states of layers to align",
                       "hidden_alignment = false");
    }
    const ModelConfig &student = shapes.student, &teacher = *shapes.teacher;
    if (teacher.layers < student.layers) {
      throw_user_error("method prokt: hidden_alignment",
                       fmt::format("compares {} layers of the student with a teacher of {}",
                                   student.layers, teacher.layers));
    }
    if (alignment_->attention && teacher.heads != student.heads) {
      throw_user_error("method prokt: align_attention",
                       fmt::format("compares heads one by one; the student has {}, the teacher {}",
                                   student.heads, teacher.heads),
                       "align_attention = false leaves them out");
    }
  }

  // The multiplier follows the divergence of the whole batch.
  bool needs_whole_batch() const override { return dual_; }

  std::vector<ExtraParameter> extra_parameters(const ModelShapes& shapes) const override {
    if (!alignment_ || !shapes.teacher) return {};
    return {{kAlignmentProjection, {shapes.teacher->hidden, shapes.student.hidden}}};
  }

  std::vector<Phase> phases(const Inputs& inputs) override {
    Model &student = *inputs.models.at(kStudent), &teacher = *inputs.models.at(kTeacher);
    Phase phase;
    phase.name = "joint";
    phase.begin = [this, &student, &teacher] {
      multiplier_ = multiplier_start_;
      if (zero_classifier_) zero_classifier(student);
      if (zero_classifier_ && !from_fine_tuned_) zero_classifier(teacher);
    };
    phase.overrides[kTeacher].learning_rate = teacher_learning_rate_;
    phase.updates.push_back(
        {kTeacher, [this, &student, &teacher](const StepContext& context, const Batch& batch) {
           return teacher_loss(student, teacher, context, batch);
         }});
    phase.updates.push_back(
        {kStudent, [this, &student, &teacher](const StepContext& context, const Batch& batch) {
           return student_loss(student, teacher, context, batch);
         }});
    return {phase};
  }

  std::map<std::string, double> learned() const override { return {{kMultiplier, multiplier_}}; }
  void set_learned(const std::map<std::string, double>& learned) override {
    multiplier_ = learned.at(kMultiplier);
  }

 private:
  static void zero_classifier(Model& model) {
    at::NoGradGuard no_gradients;
    for (const char* kind : {".weight", ".bias"})
      model.parameters()[model.classifier() + kind].zero_();
  }

  Loss teacher_loss(Model& student, Model& teacher, const StepContext& context,
                    const Batch& batch) {
    const at::Tensor target = constant_outputs(student, batch, context.eval()).logits;
    const at::Tensor logits = teacher.forward(batch.of_teacher(), context.train(kTeacher)).logits;
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
    const at::Tensor whole = back.detach().clone();
    context.global_batch->sum(whole);
    multiplier_ = std::max(0.0, multiplier_ + multiplier_rate_ * (whole.item<double>() - bound_));
    return total;
  }

  // The teacher has already taken its step on this batch.
  Loss student_loss(Model& student, Model& teacher, const StepContext& context,
                    const Batch& batch) const {
    ForwardMode mode = context.train(), teacher_mode = context.eval();
    if (alignment_) {
      request_states(*alignment_, student.config().layers, teacher.config().layers, mode,
                     teacher_mode);
    }
    const Outputs target = constant_outputs(teacher, batch.of_teacher(), teacher_mode);
    const Outputs own = student.forward(batch, mode);
    const at::Tensor soft = divergence(own.logits, target.logits, batch.global_rows);
    Loss loss{soft, {{divergence_name(batch.labels), soft}}};
    if (!alignment_) return loss;
    const at::Tensor& projection = student.parameters()[kAlignmentProjection];
    for (auto& term : hidden_alignment(own, target, projection, batch, *alignment_)) {
      loss.total = loss.total + term.second;
      loss.terms.push_back(std::move(term));
    }
    return loss;
  }

  double move_back_weight_, teacher_learning_rate_;
  bool from_fine_tuned_, zero_classifier_, sep_pair_, dual_;
  double multiplier_start_, multiplier_rate_, bound_;
  std::optional<AlignmentParts> alignment_;
  double multiplier_ = 0.0;
};

std::vector<OptionSpec> joint_options() {
  return {
      option::share("move_back_weight", 0.4,
                    "lambda: how much the teacher stays near the student; not with dual", kRecipe),
      option::weight("teacher_learning_rate", 3e-5,
                     "of the teacher's own optimizer; the student's is train.learning_rate",
                     kRecipe),
      option::choice("teacher_start", "pretrained", {"pretrained", "fine-tuned"},
                     "the teacher learns from the weights that [teacher] names, or from its "
                     "fine-tuned ones",
                     "the paper: a pre-trained teacher"),
      option::flag("zero_classifier", true,
                   "both classifiers begin at zero: uniform probabilities; a fine-tuned "
                   "teacher keeps its own",
                   kRecipe),
      option::flag("sep_pair", false,
                   "refuses a student that reads the texts of a pair "
                   "together: a bilstm never does",
                   kProgram)};
}

std::vector<OptionSpec> constraint_options() {
  return {
      option::flag("dual", false, "constraint mode: CE + mu (KL - epsilon) with mu learned",
                   kProgram),
      option::weight("lambda_initialization", 1.0, "mu at the start of constraint mode", kProgram),
      option::weight("lambda_lr", 0.001, "how fast mu follows the constraint", kProgram),
      option::weight("lambda_epsilon", 1.0, "epsilon, the divergence that is allowed", kProgram)};
}

std::vector<OptionSpec> alignment_options() {
  return {option::flag("hidden_alignment", false,
                       "the student also follows the teacher's inner states", kProgram),
          option::flag("align_embeddings", true, "with hidden_alignment: embeddings", kProgram),
          option::flag("align_hidden", true, "with hidden_alignment: hidden states", kProgram),
          option::flag("align_attention", true, "with hidden_alignment: attention probabilities",
                       kProgram)};
}

}  // namespace

MethodEntry prokt_entry() {
  MethodEntry entry{
      "prokt",
      "Teacher and student learn together, each held near the other (Shi et al. 2021)",
      {},
      [](const Options& options) { return std::make_unique<ProKt>(options); }};
  for (const auto& options : {joint_options(), constraint_options(), alignment_options()})
    entry.options.insert(entry.options.end(), options.begin(), options.end());
  return entry;
}

}  // namespace kdbench
