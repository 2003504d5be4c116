// SPDX-License-Identifier: MIT
// d-lite (Tang et al. 2019, arXiv 1903.12136): regression of the teacher's logits, with hard labels
// where they are given a weight. The program of d-heavy (Tang et al. 2019, ACL D19-6122) has, for
// some tasks, a softened divergence in its place: KL(p_t || p_s) at a temperature, without its
// square.
#include "methods/d_lite.h"

#include "io/base/error.h"
#include "methods/entries.h"
#include "methods/losses.h"
#include "methods/options/option_specs.h"

namespace kdbench {
namespace {

constexpr const char* kBaseConf = "d-bert's confs/base.json";

class DLite : public Method {
 public:
  explicit DLite(const Options& options)
      : distill_weight_(options.get<double>("distill_weight")),
        ce_weight_(options.get<double>("ce_weight")),
        divergence_(options.get<std::string>("loss") == "kl"),
        temperature_(options.get<double>("temperature")) {}

  TeacherNeeds teacher_needs(const ModelShapes&) const override {
    TeacherNeeds needs;
    needs.teacher = true;
    needs.logits = true;
    return needs;
  }

  void validate(const ModelShapes& shapes) const override {
    if (shapes.outputs > 1) return;
    if (divergence_)
      throw_user_error("method d-lite: loss", "\"kl\" needs classes, the task has scores",
                       "loss = \"mse\"");
    if (ce_weight_ > 0.0)
      throw_user_error("method d-lite: ce_weight", "needs classes, the task has scores",
                       "ce_weight = 0");
  }

  bool takes_labels() const override { return ce_weight_ > 0.0; }

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
    const at::Tensor& teacher = batch.dense_field(field::kTeacherLogits);
    const at::Tensor soft =
        divergence_ ? soft_target_divergence(logits, teacher, temperature_, batch.global_rows) *
                          (1.0 / (temperature_ * temperature_))
                    : mean_logit_error(logits, teacher, batch.global_rows);
    Loss loss{distill_weight_ * soft, {{divergence_ ? "kl" : "mse", soft}}};
    if (ce_weight_ == 0.0) return loss;
    const at::Tensor hard = cross_entropy(logits, batch.labels, batch.global_rows);
    loss.total = loss.total + ce_weight_ * hard;
    loss.terms.emplace_back("ce", hard);
    return loss;
  }

  double distill_weight_, ce_weight_;
  bool divergence_;
  double temperature_;
};

}  // namespace

std::vector<OptionSpec> d_lite_options() {
  OptionSpec temperature = option::temperature(3.0, kBaseConf);
  temperature.meaning = "with loss = \"kl\": divides both models' logits";
  return {
      option::weight("distill_weight", 1.0, "weight of what the teacher says", kBaseConf),
      option::weight("ce_weight", 0.0, "weight of the hard labels", "the paper: logits alone"),
      option::choice("loss", "mse", {"mse", "kl"},
                     "mse: squared error of logits; kl: divergence of softened ones", "the paper"),
      temperature};
}

std::unique_ptr<Method> make_d_lite(const Options& options) {
  return std::make_unique<DLite>(options);
}

MethodEntry d_lite_entry() {
  return {"d-lite",
          "Regression of the teacher's logits by a BiLSTM (Tang et al. 2019)",
          d_lite_options(),
          [](const Options& options) { return make_d_lite(options); },
          /*compares_states=*/false,
          /*transfer=*/transfer_kind::kRules};
}

}  // namespace kdbench
