// SPDX-License-Identifier: MIT
#include "tests/methods/example/hint.h"

#include <fmt/core.h>

#include <cmath>

#include "io/base/error.h"
#include "methods/losses.h"
#include "methods/options/option_specs.h"

namespace kdbench {
namespace {

constexpr const char* kProjection = "hint.weight";

class Hint : public Method {
 public:
  explicit Hint(const Options& options)
      : alpha_(options.get<double>("alpha")),
        beta_(options.get<double>("beta")),
        teacher_layer_(options.get<int64_t>("teacher_layer")),
        student_layer_(options.get<int64_t>("student_layer")) {}

  TeacherNeeds teacher_needs(const ModelShapes& shapes) const override {
    TeacherNeeds needs;
    needs.teacher = needs.logits = true;
    if (shapes.teacher) needs.hidden_layers = {chosen(teacher_layer_, shapes.teacher->layers)};
    return needs;
  }

  void validate(const ModelShapes& shapes) const override {
    if (!shapes.teacher) {
      throw_user_error("method hint", "needs the teacher's depth and width",
                       "add a [teacher] table, also beside teacher_outputs = FILE");
    }
    check_layer("teacher_layer", teacher_layer_, shapes.teacher->layers);
    check_layer("student_layer", student_layer_, shapes.student.layers);
  }

  std::vector<ExtraParameter> extra_parameters(const ModelShapes& shapes) const override {
    if (!shapes.teacher) return {};
    const double deviation = 1.0 / std::sqrt(static_cast<double>(shapes.student.hidden));
    return {{kProjection, {shapes.teacher->hidden, shapes.student.hidden}, deviation}};
  }

  std::vector<Phase> phases(const Inputs& inputs) override {
    Model& student = *inputs.models.at(kStudent);
    Phase phase;
    phase.name = "distill";
    phase.updates.push_back(
        {kStudent, [this, &student](const StepContext& context, const Batch& batch) {
           const int64_t layer = chosen(student_layer_, student.config().layers);
           ForwardMode mode = context.train();
           mode.hidden_layers = {layer};
           const Outputs outputs = student.forward(batch, mode);
           return loss(outputs.logits, outputs.hidden[layer], student.parameters()[kProjection],
                       batch);
         }});
    return {phase};
  }

 private:
  static int64_t chosen(int64_t layer, int64_t depth) {
    return layer > 0 ? layer : (depth + 1) / 2;
  }

  static void check_layer(const char* name, int64_t layer, int64_t depth) {
    if (layer <= depth) return;
    throw_user_error(fmt::format("method hint: {}", name),
                     fmt::format("names layer {}, there are {}", layer, depth));
  }

  Loss loss(const at::Tensor& logits, const at::Tensor& states, const at::Tensor& projection,
            const Batch& batch) const {
    const Ragged& teacher = batch.ragged_field(field::kTeacherHidden);
    const at::Tensor hard = task_loss(logits, batch.labels, batch.global_rows);
    const at::Tensor soft =
        logit_error(logits, batch.dense_field(field::kTeacherLogits), batch.global_rows);
    const at::Tensor hint = hint_error(states, teacher.values.select(1, 0), projection,
                                       teacher.offsets, batch.global_rows);
    return {(1.0 - alpha_) * hard + alpha_ * soft + beta_ * hint,
            {{task_loss_name(batch.labels), hard}, {"logits", soft}, {"hint", hint}}};
  }

  double alpha_, beta_;
  int64_t teacher_layer_, student_layer_;  // from 1; 0: the middle one
};

std::vector<OptionSpec> hint_options() {
  return {
      option::share("alpha", 0.5, "weight of the logits; the hard labels weigh 1 - alpha", "none"),
      option::weight("beta", 1.0, "weight of the hint", "none"),
      option::count("teacher_layer", 0, 0,
                    "layer (from 1) whose states are the hint; 0: the middle",
                    "FitNets: the middle layer"),
      option::count("student_layer", 0, 0, "layer (from 1) that is guided; 0: the middle",
                    "FitNets: the middle layer")};
}

}  // namespace

at::Tensor logit_error(const at::Tensor& student, const at::Tensor& teacher, int64_t global_rows) {
  const at::Tensor error = student - teacher.detach();
  return (error * error).sum() * (1.0 / static_cast<double>(global_rows * student.size(1)));
}

at::Tensor hint_error(const at::Tensor& student, const at::Tensor& teacher,
                      const at::Tensor& projection, const at::Tensor& offsets,
                      int64_t global_rows) {
  const at::Tensor error = at::matmul(student, projection.t()) - teacher.detach();
  const at::Tensor lengths = offsets.diff();
  const at::Tensor share = 1.0 / (lengths.to(student.options()) * static_cast<double>(global_rows));
  return (error * error).mean(1).dot(share.repeat_interleave(lengths.to(student.device())));
}

MethodEntry hint_entry() {
  return {"hint",
          "The teacher's logits and, projected, its states in one layer (Romero et al. 2015)",
          hint_options(), [](const Options& options) { return std::make_unique<Hint>(options); },
          /*compares_states=*/true};
}

}  // namespace kdbench
