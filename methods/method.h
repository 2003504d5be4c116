// SPDX-License-Identifier: MIT
// What a distillation method is to the trainer: phases, and per batch an ordered list of updates. A
// method knows models, batches and losses; it never touches files or ranks.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/batches/batch.h"
#include "methods/models/model.h"
#include "methods/options/options.h"

namespace kdbench {

// A memory of features (FSD): centroids of the teacher's flattened states over the training rows.
struct FeatureMemoryNeeds {
  int64_t centroids = 0;  // K; 0: no memory
  int64_t layer = 0;      // 1-based teacher layer
  int64_t epochs = 3;     // passes of the stage that trains it: mean and variance, then Lloyd's
  std::string file;       // safetensors of the user, absolute; empty: a stage of its own trains it
};

// K centroids of features flattened token-major to max_seq_length * H, zeros behind a row's end.
// The student's have its own H.
struct FeatureMemory {
  at::Tensor teacher;  // (K, max_seq_length * H)
  at::Tensor student;  // where the student's own begins; may be undefined
};

// What a method takes from the teacher. Stored outputs arrive as batch fields; `online` hands it
// the model itself.
struct TeacherNeeds {
  bool teacher = false;                // a finished teacher
  bool logits = false;                 // field::kTeacherLogits
  std::vector<int64_t> cls_layers;     // 1-based layers in field::kTeacherCls
  std::vector<int64_t> hidden_layers;  // 1-based layers in field::kTeacherHidden: both models must
                                       // read the same tokens
  FeatureMemoryNeeds feature_memory;   // Inputs::feature_memory
  bool from_assistant = false;         // the outputs are those of [assistant] (TAKD)
  // The teacher is a Model in Models and learns (ProKT): from its fine-tuned weights when `teacher`
  // is set too, else from those that it would be fine-tuned from.
  bool trains_teacher = false;
  bool same_tokens = false;  // both models must read the same tokens, for that teacher's states
};

// The method takes something that could be stored of a teacher.
bool takes_outputs(const TeacherNeeds& needs);

// Depths and sizes that a method may need before any model exists.
struct ModelShapes {
  ModelConfig student;
  std::optional<ModelConfig> teacher;
  int64_t outputs = 2;  // C; 1 for regression
  int64_t max_seq_length = 128;
};

// The models of a run, by role. Only "student" is always there; "teacher" when
// TeacherNeeds::trains_teacher: both then have the same order of labels, and the teacher reads
// Batch::of_teacher().
inline constexpr const char* kStudent = "student";
inline constexpr const char* kTeacher = "teacher";
using Models = std::map<std::string, Model*>;

// What the phases of a method are made from, beside the batches.
struct Inputs {
  Models models;
  std::optional<FeatureMemory> feature_memory =
      std::nullopt;  // as TeacherNeeds::feature_memory asks; none in a plan
};

// The ranks that share a global batch, for losses over the whole of it. gather() and sum() are
// collective: every rank calls them in the same order, in the loss function, never inside backward.
// With micro_batch every rank has as many slices, and calls them for each. Tensors lie on the CPU
// or on the device of the models.
class GlobalBatch {
 public:
  virtual ~GlobalBatch() = default;
  virtual int64_t rank() const = 0;
  virtual int64_t size() const = 0;
  // rows (b, ...) detached -> (B, ...) of the global batch in order of rank; first receives the
  // index of this share's rows.
  virtual at::Tensor gather(const at::Tensor& rows, int64_t* first) = 0;
  // Adds up a contiguous tensor without gradient over the ranks, in place.
  virtual void sum(const at::Tensor& tensor) = 0;
};

// Where training stands when an update's loss is computed.
struct StepContext {
  int64_t epoch = 0;                 // 0-based in the phase
  int64_t step = 0;                  // 0-based in the phase
  RandomKey key;                     // of this step's dropout; already differs by phase
  at::ScalarType type = at::kFloat;  // ForwardMode::type
  GlobalBatch* global_batch = nullptr;

  // A training-mode forward; `role` separates the dropout of two models.
  ForwardMode train(std::string_view role = kStudent) const;
  ForwardMode eval() const;
};

// This share's part of the objective. `terms` are unweighted and detached by the trainer; a term is
// summed over shares like the loss.
struct Loss {
  at::Tensor total;  // 0-dimensional, with gradient
  std::vector<std::pair<std::string, at::Tensor>> terms;
};

// One optimizer step on one model. The loss function runs the forward passes it needs, in the modes
// it needs (other models under NoGradGuard); the trainer does backward, reduction, clipping and the
// step.
struct Update {
  std::string model = kStudent;
  std::function<Loss(const StepContext&, const Batch&)> loss;
};

// Training keys that a method sets for one model of a phase, where they differ from [train].
struct TrainingOverrides {
  std::optional<double> learning_rate;
};

// Which weights a phase begins with.
enum class StartWeights { kCurrent, kBestOfPreviousPhase };

struct Phase {
  std::string name;               // phase_name in events.jsonl
  std::optional<int64_t> epochs;  // wins over train.epochs
  StartWeights start = StartWeights::kCurrent;
  // Changes what training begins with (weights, the method's own numbers), once the weights of
  // `start` are there; null: nothing. A run that goes on within the phase does not call it.
  std::function<void()> begin;
  std::vector<Update>
      updates;  // per batch, in this order; fresh optimizer and schedule per phase and model
  std::map<std::string, TrainingOverrides> overrides;  // by model role
};

class Method {
 public:
  virtual ~Method() = default;
  virtual TeacherNeeds teacher_needs(const ModelShapes& shapes) const = 0;
  // Throws a user error when the method cannot work with these models or this kind of task; called
  // before any work.
  virtual void validate(const ModelShapes&) const {}
  // The loss of a batch is not the sum of its slices' losses: micro_batch is then refused.
  virtual bool needs_whole_batch() const { return false; }
  // The loss takes hard labels. Only without does a method learn from rows that have none.
  virtual bool takes_labels() const { return true; }
  virtual std::vector<ExtraParameter> extra_parameters(const ModelShapes&) const { return {}; }
  // Describes them; nothing is changed before Phase::begin.
  virtual std::vector<Phase> phases(const Inputs& inputs) = 0;
  // What it has learned beside the models' weights, by name and the same on every rank: a continued
  // run gets it back before its first step.
  virtual std::map<std::string, double> learned() const { return {}; }
  virtual void set_learned(const std::map<std::string, double>&) {}
  // What was unusual in training and is no loss, by name: of this rank's shares, summed over ranks
  // into run.json. Every rank has the same names.
  virtual std::map<std::string, int64_t> counts() const { return {}; }
};

// Where the rows of a transfer set come from.
namespace transfer_kind {
inline constexpr const char* kRules = "rules";
inline constexpr const char* kLanguageModel = "language-model";
inline constexpr const char* kFile = "file";
}  // namespace transfer_kind

// One entry of the registry.
struct MethodEntry {
  std::string name;
  std::string summary;  // one line, with the paper
  std::vector<OptionSpec> options;
  std::function<std::unique_ptr<Method>(const Options&)> make;
  bool compares_states = false;  // of layers: students without any are refused
  // Of which kind the transfer set is that it learns from, where there is one of [transfer] and
  // nobody says otherwise; empty: it learns from the training rows.
  std::string transfer = "";
};

}  // namespace kdbench
