// SPDX-License-Identifier: MIT
#include "methods/pkd.h"

#include <fmt/core.h>

#include "io/base/error.h"
#include "methods/entries.h"
#include "methods/kd.h"
#include "methods/losses.h"
#include "methods/options/option_specs.h"

namespace kdbench {
namespace {

constexpr const char* kPreset = "preset kd.cls of the authors' program";

at::Tensor unit_vectors(const at::Tensor& states) {
  return states / states.norm(2, -1, /*keepdim=*/true).clamp_min(1e-12);
}

class PatientKd : public Method {
 public:
  explicit PatientKd(const Options& options)
      : alpha_(options.get<double>("alpha")),
        beta_(options.get<double>("beta")),
        temperature_(options.get<double>("temperature")),
        normalize_(options.get<bool>("normalize")) {
    if (options.holds_list("layers"))
      listed_layers_ = options.get<std::vector<int64_t>>("layers");
    else
      choice_ = options.get<std::string>("layers");
  }

  TeacherNeeds teacher_needs(const ModelShapes& shapes) const override {
    TeacherNeeds needs;
    needs.teacher = true;
    needs.logits = true;
    if (patient() && shapes.teacher) needs.cls_layers = layers(shapes);
    return needs;
  }

  void validate(const ModelShapes& shapes) const override {
    if (!patient()) return;
    if (!shapes.teacher) {
      throw_user_error("method pkd", "needs the teacher's depth and width",
                       "add a [teacher] table, also beside teacher_outputs = FILE");
    }
    if (shapes.teacher->hidden != shapes.student.hidden) {
      throw_user_error("method pkd",
                       fmt::format("compares [CLS] states of equal width; the teacher's have {}, "
                                   "the student's {}",
                                   shapes.teacher->hidden, shapes.student.hidden));
    }
    if (shapes.student.layers < 2) {
      throw_user_error("method pkd",
                       "needs a student of at least 2 layers: its last layer is not compared");
    }
    check_list(layers(shapes), shapes);
  }

  bool takes_labels() const override { return alpha_ < 1.0; }

  std::vector<Phase> phases(const Inputs& inputs) override {
    Model& student = *inputs.models.at(kStudent);
    Phase phase;
    phase.name = "distill";
    phase.updates.push_back(
        {kStudent, [this, &student](const StepContext& context, const Batch& batch) {
           ForwardMode mode = context.train();
           mode.cls_states = patient();
           return loss(student.forward(batch, mode), batch);
         }});
    return {phase};
  }

 private:
  // With beta 0 nothing is compared: the authors' own form of vanilla KD.
  bool patient() const { return beta_ > 0.0; }

  std::vector<int64_t> layers(const ModelShapes& shapes) const {
    return choice_.empty() ? listed_layers_
                           : patient_layers(choice_, shapes.teacher->layers, shapes.student.layers);
  }

  static void check_list(const std::vector<int64_t>& layers, const ModelShapes& shapes) {
    const int64_t wanted = shapes.student.layers - 1;
    if (static_cast<int64_t>(layers.size()) != wanted) {
      throw_user_error("method pkd: layers",
                       fmt::format("names {} teacher layers, the {}-layer student compares {}",
                                   layers.size(), shapes.student.layers, wanted));
    }
    for (const int64_t layer : layers) {
      if (layer <= shapes.teacher->layers) continue;
      throw_user_error("method pkd: layers", fmt::format("names layer {}, the teacher has {}",
                                                         layer, shapes.teacher->layers));
    }
  }

  Loss loss(const Outputs& outputs, const Batch& batch) const {
    const at::Tensor& logits = outputs.logits;
    const at::Tensor soft = distillation_loss(logits, batch.dense_field(field::kTeacherLogits),
                                              temperature_, batch.global_rows) /
                            static_cast<double>(logits.size(1));
    Loss loss = soft_and_hard_loss(alpha_, soft, logits, batch);
    if (!patient()) return loss;
    const at::Tensor patience =
        patience_loss(outputs.cls.narrow(1, 0, outputs.cls.size(1) - 1),
                      batch.dense_field(field::kTeacherCls), normalize_, batch.global_rows);
    loss.total = loss.total + beta_ * patience;
    loss.terms.emplace_back("patience", patience);
    return loss;
  }

  double alpha_, beta_, temperature_;
  bool normalize_;
  std::string choice_;  // empty: the list
  std::vector<int64_t> listed_layers_;
};

std::vector<OptionSpec> pkd_options() {
  return {
      option::share("alpha", 0.7, "weight of the soft term; the hard labels weigh 1 - alpha",
                    kPreset),
      option::weight("beta", 500.0, "weight of the patience term; 0 leaves it out", kPreset),
      option::temperature(10.0, kPreset),
      option::layers(
          "layers", "auto", {"auto", "skip", "last"},
          "teacher layers (1-based) that the student's, but its last, follow; auto: last "
          "for up to 3 layers, else skip",
          "the authors' scripts"),
      option::flag("normalize", true, "[CLS] states are divided by their L2 norm first", kPreset)};
}

}  // namespace

std::vector<int64_t> patient_layers(const std::string& choice, int64_t teacher_layers,
                                    int64_t student_layers) {
  const bool skip = choice == "skip" || (choice == "auto" && student_layers > 3);
  if (teacher_layers < student_layers) {
    throw_user_error("method pkd: layers",
                     fmt::format("the teacher has {} layers, the student {}: none are skipped",
                                 teacher_layers, student_layers),
                     "layers = [..] names the teacher's layers");
  }
  if (skip && teacher_layers % student_layers != 0) {
    throw_user_error("method pkd: layers",
                     fmt::format("\"skip\" needs a teacher depth that the student's divides; they "
                                 "are {} and {}",
                                 teacher_layers, student_layers),
                     "layers = \"last\", or a list of teacher layers");
  }
  std::vector<int64_t> layers;
  for (int64_t layer = 1; layer < student_layers; ++layer) {
    layers.push_back(skip ? layer * (teacher_layers / student_layers)
                          : layer + teacher_layers - student_layers);
  }
  return layers;
}

at::Tensor patience_loss(const at::Tensor& student, const at::Tensor& teacher, bool normalize,
                         int64_t global_rows) {
  const at::Tensor difference = normalize ? unit_vectors(student) - unit_vectors(teacher.detach())
                                          : student - teacher.detach();
  const auto elements = static_cast<double>(global_rows * student.size(1) * student.size(2));
  return (difference * difference).sum() * (1.0 / elements);
}

MethodEntry pkd_entry() {
  return {
      "pkd", "Softened logits and the teacher's [CLS] states of several layers (Sun et al. 2019)",
      pkd_options(), [](const Options& options) { return std::make_unique<PatientKd>(options); },
      /*compares_states=*/true};
}

}  // namespace kdbench
