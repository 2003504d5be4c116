// SPDX-License-Identifier: MIT
#include "suite/stages/sources/feature_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "io/base/error.h"
#include "io/base/sha256.h"
#include "io/base/text.h"
#include "io/batches/dataset.h"
#include "io/weights/safetensors.h"
#include "methods/feature_memory.h"
#include "suite/training/evaluation.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMemorySeed = 1;  // one memory serves all seeds and methods
constexpr int64_t kPassRows = 64;

// Of its metadata.
constexpr const char *kTaskKey = "task", *kLayerKey = "layer", *kHashKey = "teacher_sha256";

// A tensor of the file with `centroids` rows of `width` finite numbers, as float32.
at::Tensor memory_tensor(const fs::path& file, const std::string& name, const at::Tensor& tensor,
                         int64_t centroids, int64_t width) {
  const std::string where = file.string() + ":" + name;
  if (!tensor.is_floating_point() || tensor.dim() != 2 || tensor.size(0) != centroids ||
      tensor.size(1) != width) {
    throw_user_error(where,
                     fmt::format("is of shape ({}), expected ({}, {}): centroids, max_seq_length "
                                 "x width of the model",
                                 fmt::join(tensor.sizes(), ", "), centroids, width));
  }
  const at::Tensor values = tensor.to(at::kFloat).contiguous();
  if (!values.isfinite().all().item<bool>()) throw_user_error(where, "holds NaN or infinity");
  return values;
}

// A file from elsewhere may say nothing.
void check_origin(const fs::path& file, const std::map<std::string, std::string>& origin,
                  const char* key, const std::string& expected) {
  const auto found = origin.find(key);
  if (found == origin.end() || found->second == expected) return;
  throw_user_error(file.string(), fmt::format("is a memory of {} {}, not of {}", key,
                                              printable(found->second), expected));
}

std::string tensor_sha256(const at::Tensor& tensor) {
  const at::Tensor values = tensor.contiguous();
  return Sha256().update(values.data_ptr(), values.nbytes()).hex();
}

}  // namespace

StatesPass stored_states(const std::shared_ptr<const TeacherSplit>& teacher,
                         const std::shared_ptr<const FeatureSplit>& rows, const Control& control) {
  const std::shared_ptr<const Dataset> data = make_dataset(rows, teacher->label_order, teacher);
  // Neighbours on the disk: a rank reads its part from end to end.
  const int64_t begin = data->rows() * control.rank() / control.size();
  const int64_t end = data->rows() * (control.rank() + 1) / control.size();
  const auto visit_part = [data, begin, end](const std::function<void(const Ragged&)>& visit) {
    for (int64_t first = begin; first < end; first += kPassRows) {
      std::vector<int64_t> slice(static_cast<size_t>(std::min(kPassRows, end - first)));
      std::iota(slice.begin(), slice.end(), first);
      const Batch batch = data->batch(slice, data->rows());
      const Ragged& states = batch.ragged_field(field::kTeacherHidden);
      visit({states.values.select(1, 0), states.offsets});
    }
  };
  return {data->rows(), visit_part};
}

StatesPass computed_states(const TrainedModel& model, int64_t layer,
                           const std::shared_ptr<const FeatureSplit>& rows,
                           const Control& control) {
  const std::shared_ptr<const Dataset> data = make_dataset(rows, model.model->config().labels);
  const auto visit_part = [data, layer, &model,
                           &control](const std::function<void(const Ragged&)>& visit) {
    ForwardMode mode;
    mode.hidden_layers = {layer};
    forward_share(*model.model, *data, control, mode,
                  [&](const Batch& batch, const Outputs& outputs) {
                    visit({outputs.hidden.at(static_cast<size_t>(layer)).to(at::kCPU, at::kFloat),
                           batch.ragged_field(field::kTokens).offsets});
                  });
  };
  return {data->rows(), visit_part};
}

at::Tensor train_feature_memory(const FeatureMemoryNeeds& needs, int64_t positions, int64_t hidden,
                                const StatesPass& pass, const Workspace& workspace) {
  MemoryTrainer trainer(needs.centroids, positions, hidden, kMemorySeed);
  for (int64_t epoch = 0; epoch < needs.epochs; ++epoch) {
    trainer.begin_pass();
    PassProgress progress(fmt::format("memory of {} centroids, pass {} of {}", needs.centroids,
                                      epoch + 1, needs.epochs),
                          pass.rows, workspace.control.size(), *workspace.log,
                          workspace.control.root());
    workspace.control.agree([&] {
      pass.visit_part([&](const Ragged& states) {
        trainer.add(states);
        progress.seen(states.offsets.numel() - 1);
      });
    });
    workspace.collectives.allreduce_sum(trainer.sums());
    trainer.end_pass();
  }
  return trainer.centroids();
}

void write_feature_memory(const at::Tensor& teacher, const FeatureMemoryOrigin& origin,
                          const fs::path& file) {
  write_safetensors(file, {{"teacher", teacher}},
                    {{"format", "pt"},
                     {kTaskKey, origin.task},
                     {kLayerKey, std::to_string(origin.layer)},
                     {"model", origin.model},
                     {kHashKey, tensor_sha256(teacher)}});
}

int64_t feature_memory_bytes(const FeatureMemoryNeeds& needs, const ModelShapes& shapes) {
  if (!shapes.teacher) return 0;
  return int64_t{sizeof(float)} * needs.centroids * shapes.max_seq_length * shapes.teacher->hidden;
}

FeatureMemory read_feature_memory(const FeatureMemoryNeeds& needs, const ModelShapes& shapes,
                                  const std::string& task) {
  const fs::path file = needs.file;
  std::map<std::string, std::string> origin;
  const TensorMap tensors = read_safetensors(file, &origin);
  check_origin(file, origin, kTaskKey, task);
  check_origin(file, origin, kLayerKey, std::to_string(needs.layer));
  const auto teacher = tensors.find("teacher");
  if (teacher == tensors.end()) {
    throw_user_error(file.string(), "has no tensor teacher",
                     "`kdbench export --memory` writes one");
  }
  const auto hash = origin.find(kHashKey);
  if (hash != origin.end() && hash->second != tensor_sha256(teacher->second))
    throw_user_error(file.string(), "is damaged: it is not what was written", "make it again");
  FeatureMemory memory;
  memory.teacher = memory_tensor(file, "teacher", teacher->second, needs.centroids,
                                 shapes.max_seq_length * shapes.teacher.value().hidden);
  if (const auto student = tensors.find("student"); student != tensors.end()) {
    memory.student = memory_tensor(file, "student", student->second, needs.centroids,
                                   shapes.max_seq_length * shapes.student.hidden);
  }
  return memory;
}

void check_feature_memory(const FeatureMemoryNeeds& needs, const ModelShapes& shapes,
                          const std::string& task, int64_t rows, const std::string& place) {
  if (needs.centroids == 0) return;
  if (!needs.file.empty()) {
    read_feature_memory(needs, shapes, task);
  } else if (needs.centroids > rows) {
    throw_user_error(place,
                     fmt::format("a memory of {} centroids needs as many training rows, there are "
                                 "{}",
                                 needs.centroids, rows),
                     "fewer centroids");
  }
}

}  // namespace kdbench
