// SPDX-License-Identifier: MIT
// Feature structure distillation (Jung et al. 2023, arXiv 2204.08922): beside labels and softened
// logits, the student's hidden states keep the structure of the teacher's, measured by linear CKA:
// of tokens within a row (I), of rows within the global batch (L), of rows against a memory of
// centroids (G).
//   alpha CE + (1 - alpha) KD + beta (gamma_intra I + gamma_local L + gamma_global G)
// alpha weighs the hard labels here (elsewhere the soft ones). Scores (STS-B) have no KD term.
// Padding takes no part; student and teacher may differ in width, and must read the same tokens.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "io/base/error.h"
#include "methods/cka.h"
#include "methods/entries.h"
#include "methods/losses.h"
#include "methods/memory_structure.h"
#include "methods/options/option_specs.h"

namespace kdbench {
namespace {

constexpr const char* kPaper = "the paper";
constexpr const char* kStudentMemory = "student_memory";
constexpr const char* kPenultimate = "penultimate";
constexpr const char* kTrainedMemory = "auto";

using Layers = std::vector<int64_t>;

// Layers that an option lists; none for "penultimate".
Layers listed(const Options& options, const char* name) {
  return options.holds_list(name) ? options.get<Layers>(name) : Layers{};
}

void check_layers(const char* name, const Layers& layers, const char* whose, int64_t depth) {
  const auto deepest = std::max_element(layers.begin(), layers.end());
  if (deepest == layers.end() || *deepest <= depth) return;
  throw_user_error(fmt::format("method fsd: {}", name),
                   fmt::format("names layer {}, the {} has {}", *deepest, whose, depth));
}

void check_depth(const char* whose, int64_t depth) {
  if (depth >= 2) return;
  throw_user_error("method fsd",
                   fmt::format("compares the layer before the last; the {} has {}", whose, depth),
                   fmt::format("a {} of at least 2 layers", whose));
}

// One layer's states of a teacher's (T, layers, H).
at::Tensor teacher_states(const Batch& batch, int64_t index) {
  return batch.ragged_field(field::kTeacherHidden).values.select(1, index);
}

class Fsd : public Method {
 public:
  explicit Fsd(const Options& options)
      : variant_(options.get<std::string>("variant")),
        alpha_(options.get<double>("alpha")),
        temperature_(options.get<double>("temperature")),
        beta_(options.get<double>("beta")),
        gamma_intra_(options.get<double>("gamma_intra")),
        gamma_local_(options.get<double>("gamma_local")),
        gamma_global_(options.get<double>("gamma_global")),
        gamma_memory_(options.get<double>("gamma_memory")),
        reduction_(options.get<std::string>("intra_reduction") == "log_of_mean"
                       ? IntraReduction::kLogOfMean
                       : IntraReduction::kMeanOfLogs),
        teacher_layers_(listed(options, "teacher_layers")),
        student_layers_(listed(options, "student_layers")),
        memory_(options.get<std::string>("memory")),
        centroids_(options.get<int64_t>("centroids")),
        memory_epochs_(options.get<int64_t>("memory_epochs")) {}

  TeacherNeeds teacher_needs(const ModelShapes& shapes) const override {
    TeacherNeeds needs;
    needs.teacher = needs.logits = true;
    if (!shapes.teacher) return needs;
    const int64_t penultimate = shapes.teacher->layers - 1;
    if (layerwise()) needs.hidden_layers = teacher_layers_;
    if (!layerwise() || global()) needs.hidden_layers.push_back(penultimate);
    if (!global()) return needs;
    needs.feature_memory.centroids = centroids_;
    needs.feature_memory.layer = penultimate;
    needs.feature_memory.epochs = memory_epochs_;
    if (memory_ != kTrainedMemory) needs.feature_memory.file = memory_;
    return needs;
  }

  void validate(const ModelShapes& shapes) const override {
    if (!shapes.teacher) {
      throw_user_error("method fsd", "needs the teacher's depth and width",
                       "add a [teacher] table, also beside teacher_outputs = FILE");
    }
    if (teacher_layers_.size() != student_layers_.size()) {
      throw_user_error("method fsd: teacher_layers, student_layers",
                       fmt::format("name {} and {} layers, but are compared in pairs",
                                   teacher_layers_.size(), student_layers_.size()),
                       "list as many of each, or leave both at \"penultimate\"");
    }
    if (!teacher_layers_.empty() && !intra() && !local()) {
      throw_user_error("method fsd: teacher_layers",
                       "variant G compares the layers before the last alone",
                       "leave teacher_layers and student_layers out");
    }
    if (!layerwise() || global()) {
      check_depth("student", shapes.student.layers);
      check_depth("teacher", shapes.teacher->layers);
    }
    check_layers("teacher_layers", teacher_layers_, "teacher", shapes.teacher->layers);
    check_layers("student_layers", student_layers_, "student", shapes.student.layers);
  }

  // A row's own structures are means over rows; a mean inside a logarithm is not.
  bool needs_whole_batch() const override {
    return local() || (intra() && reduction_ == IntraReduction::kLogOfMean);
  }

  std::vector<ExtraParameter> extra_parameters(const ModelShapes& shapes) const override {
    if (!global()) return {};
    return {{kStudentMemory, {centroids_, shapes.max_seq_length * shapes.student.hidden}, 1.0}};
  }

  std::vector<Phase> phases(const Inputs& inputs) override {
    Model& student = *inputs.models.at(kStudent);
    const auto& memory = inputs.feature_memory;
    const bool takes_memory = global() && memory;
    if (takes_memory) take_memory(student, *memory);
    Phase phase;
    phase.name = "distill";
    phase.begin = [this, &student, own = takes_memory ? memory->student : at::Tensor()] {
      single_rows_ = 0;
      const at::NoGradGuard no_gradients;
      if (own.defined()) student.parameters()[kStudentMemory].copy_(own);
    };
    phase.updates.push_back(
        {kStudent, [this, &student](const StepContext& context, const Batch& batch) {
           return loss(student, context, batch);
         }});
    return {phase};
  }

  std::map<std::string, int64_t> counts() const override {
    if (!local()) return {};
    return {{"batches_without_local_structure", single_rows_}};
  }

 private:
  bool has(char part) const { return variant_.find(part) != std::string::npos; }
  bool intra() const { return has('I'); }
  bool local() const { return has('L'); }
  bool global() const { return has('G'); }
  bool layerwise() const { return !teacher_layers_.empty(); }

  void take_memory(const Model& student, const FeatureMemory& memory) {
    const at::Tensor& own = student.parameters()[kStudentMemory];
    structure_.emplace(memory.teacher.to(own.device()), gamma_memory_);
    if (memory.student.defined() && memory.student.sizes() != own.sizes()) {
      throw_user_error(
          "method fsd: memory",
          fmt::format("the student's memory is {} x {}, this student's is {} x {}",
                      memory.student.size(0), memory.student.size(1), own.size(0), own.size(1)),
          "centroids and max_seq_length must be the memory's");
    }
  }

  Loss loss(Model& student, const StepContext& context, const Batch& batch) {
    const int64_t penultimate = student.config().layers - 1;
    const Layers compared = layerwise() ? student_layers_ : Layers{penultimate};
    ForwardMode mode = context.train();
    mode.hidden_layers = compared;
    mode.hidden_layers.push_back(penultimate);
    const Outputs outputs = student.forward(batch, mode);
    Loss loss = logit_loss(outputs.logits, batch);
    const auto add = [&](const char* name, double weight, const at::Tensor& term) {
      loss.total = loss.total + beta_ * weight * term;
      loss.terms.emplace_back(name, term);
    };
    if (intra()) {
      add("intra", gamma_intra_,
          mean_of_pairs(outputs, compared, batch, [&](const auto& own, const auto& teacher) {
            return intra_cka_loss(own, teacher, offsets(batch), batch.global_rows, reduction_,
                                  *context.global_batch);
          }));
    }
    if (local()) {
      if (batch.global_rows < 2) single_rows_ += batch.rows();
      add("local", gamma_local_,
          mean_of_pairs(outputs, compared, batch, [&](const auto& own, const auto& teacher) {
            return local_cka_loss(own, teacher, offsets(batch), batch.global_rows,
                                  *context.global_batch);
          }));
    }
    if (global())
      add_global(loss, outputs.hidden[penultimate], student, batch, *context.global_batch);
    return loss;
  }

  // G and what it is made of.
  void add_global(Loss& loss, const at::Tensor& states, const Model& student, const Batch& batch,
                  GlobalBatch& ranks) const {
    const MemoryLoss parts =
        structure_.value().loss(states, teacher_states(batch, last_state(batch)), offsets(batch),
                                batch.global_rows, student.parameters()[kStudentMemory], ranks);
    loss.total = loss.total + beta_ * gamma_global_ * parts.total;
    loss.terms.emplace_back("global", parts.total);
    for (const auto& [name, value] :
         {std::pair("distance", parts.distance), std::pair("cosine", parts.cosine),
          std::pair("memory", parts.memory)}) {
      loss.terms.emplace_back(name, at::tensor(value, at::kDouble));
    }
  }

  Loss logit_loss(const at::Tensor& logits, const Batch& batch) const {
    const at::Tensor hard = task_loss(logits, batch.labels, batch.global_rows);
    const at::Tensor soft =
        logits.size(1) == 1
            ? at::zeros_like(hard)
            : soft_target_divergence(logits, batch.dense_field(field::kTeacherLogits), temperature_,
                                     batch.global_rows);
    return {alpha_ * hard + (1.0 - alpha_) * soft,
            {{task_loss_name(batch.labels), hard}, {"kd", soft}}};
  }

  static const at::Tensor& offsets(const Batch& batch) {
    return batch.ragged_field(field::kTeacherHidden).offsets;
  }
  static int64_t last_state(const Batch& batch) {
    return batch.ragged_field(field::kTeacherHidden).values.size(1) - 1;
  }

  // The mean of loss(student, teacher) over the compared pairs of layers.
  template <typename F>
  static at::Tensor mean_of_pairs(const Outputs& outputs, const Layers& compared,
                                  const Batch& batch, const F& loss) {
    std::vector<at::Tensor> parts;
    for (const int64_t layer : compared) {
      const auto index = static_cast<int64_t>(parts.size());
      parts.push_back(loss(outputs.hidden[layer], teacher_states(batch, index)));
    }
    return at::stack(parts).mean();
  }

  std::string variant_;
  double alpha_, temperature_, beta_;
  double gamma_intra_, gamma_local_, gamma_global_, gamma_memory_;
  IntraReduction reduction_;
  Layers teacher_layers_, student_layers_;  // pairs; empty: the layers before the last
  std::string memory_;
  int64_t centroids_, memory_epochs_;
  std::optional<MemoryStructure> structure_;  // from phases() on, when there is a memory
  int64_t single_rows_ = 0;                   // batches of one row, on the rank that had it
};

std::vector<OptionSpec> loss_options() {
  return {
      option::choice(
          "variant", "ILG", {"I", "L", "G", "IL", "ILG"},
          "structures: I of tokens in a row, L of rows in a batch, G of rows against a memory",
          kPaper),
      option::share("alpha", 0.5, "weight of the hard labels; the soft term weighs 1 - alpha",
                    "the authors' programs; the middle of the paper's search"),
      option::temperature(5.0, "the authors' programs; the first of the paper's search"),
      option::weight("beta", 1.0, "weight of all structures together", "the paper's first search"),
      option::weight("gamma_intra", 1.0, "weight of I, where the variant has it",
                     "the paper's search {0.1, 1, best beta}"),
      option::weight("gamma_local", 1.0, "weight of L, where the variant has it",
                     "the paper's search {0.1, 1, best beta}"),
      option::weight("gamma_global", 0.1, "weight of G, where the variant has it",
                     "the paper's search {1e-7, ..., 0.1, 1}"),
      option::share("gamma_memory", 1e-6,
                    "within G, of distances; cosines weigh 1 - gamma_memory, the memories 1",
                    "the paper's refined search for WNLI, RTE and MNLI")};
}

OptionSpec compared_layers(const char* name, const char* meaning) {
  return option::layers(name, kPenultimate, {kPenultimate}, meaning, kPaper);
}

std::vector<OptionSpec> structure_options() {
  OptionSpec memory{"memory", std::string(kTrainedMemory),
                    "G: auto trains the teacher's memory on the training rows; else a safetensors "
                    "file with teacher and, if wanted, student (centroids, max_seq_length H)",
                    kPaper};
  memory.choices = {kTrainedMemory};
  memory.or_file = true;
  return {option::choice(
              "intra_reduction", "mean_of_logs", {"mean_of_logs", "log_of_mean"},
              "I's mean over rows: of -log CKA, or (the authors' program) inside the logarithm",
              kPaper),
          compared_layers("teacher_layers",
                          "1-based teacher layers that I and L compare, in pairs with "
                          "student_layers and averaged; G: always the last but one"),
          compared_layers("student_layers", "1-based student layers, as many as teacher_layers"),
          memory,
          option::count("centroids", 100, 2,
                        "G: K, rows of the memory (the paper: 300 on MNLI and QQP)", kPaper),
          option::count(
              "memory_epochs", 3, 1,
              "G: passes that train the memory: mean and variance, then one k-means step each (the "
              "program's 3 are one such step)",
              "the paper's 3 clustering epochs")};
}

}  // namespace

MethodEntry fsd_entry() {
  std::vector<OptionSpec> options = loss_options();
  for (auto& spec : structure_options()) options.push_back(std::move(spec));
  return {"fsd",
          "Softened logits and the structure of hidden states by linear CKA (Jung et al. 2023)",
          std::move(options), [](const Options& options) { return std::make_unique<Fsd>(options); },
          /*compares_states=*/true};
}

}  // namespace kdbench
