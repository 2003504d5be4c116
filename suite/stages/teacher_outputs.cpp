// SPDX-License-Identifier: MIT
#include "suite/stages/teacher_outputs.h"

#include <fmt/core.h>

#include "io/dataset.h"
#include "suite/training/evaluation.h"

namespace kdbench {
namespace {

// The outputs on this rank's share of the rows.
TeacherSplit forward_rows(Model& model, const std::shared_ptr<const FeatureSplit>& features,
                          const OutputRequest& request, const Control& control) {
  TeacherSplit split;
  split.name = features->name;
  split.source_sha256 = features->source_sha256;
  split.label_order = model.config().labels;
  split.classes = model.outputs();
  split.cls_layers = request.cls_layers;
  split.hidden_size = model.config().hidden;
  ForwardMode mode;
  mode.cls_states = !request.cls_layers.empty();
  const auto data = make_dataset(features, model.config().labels);
  forward_share(model, *data, control, mode, [&](const Batch& batch, const Outputs& outputs) {
    const int64_t* ids = batch.row_ids.const_data_ptr<int64_t>();
    split.row_ids.insert(split.row_ids.end(), ids, ids + batch.rows());
    append_values(split.logits, outputs.logits);
    if (request.pooled) append_values(split.pooled, outputs.pooled);
    if (!mode.cls_states) return;
    const at::TensorOptions index(at::kLong);
    append_values(split.cls,
                  outputs.cls.index_select(
                      1, at::tensor(request.cls_layers, index.device(outputs.cls.device())) - 1));
  });
  return split;
}

}  // namespace

void write_teacher_outputs(const TrainedModel& model, const Features& features,
                           const OutputRequest& request, const std::filesystem::path& file,
                           const Workspace& workspace) {
  TeacherStoreInfo info;
  info.task = model.task->name;
  info.checkpoint_sha256 = model.sha256;
  info.store_dtype = request.store_dtype;
  std::vector<TeacherSplit> shares;
  workspace.control.agree([&] {
    for (const auto& name : request.splits) {
      shares.push_back(
          forward_rows(*model.model, features.store.split(name), request, workspace.control));
    }
  });
  write_teacher_store(file, workspace.control.comm(), info, shares);
}

StageKey teacher_outputs_key(const Teacher& teacher, const TeacherNeeds& needs,
                             const Features& features) {
  return {
      "teacher-outputs",
      kTeacherStoreVersion,
      {{"teacher", teacher.hash}, {"features", features.hash}, {"cls_layers", needs.cls_layers}}};
}

std::shared_ptr<const TeacherSplit> ensure_teacher_outputs(const Teacher& teacher, const Task& task,
                                                           const TeacherNeeds& needs,
                                                           const std::vector<int64_t>& layers,
                                                           const Features& features,
                                                           const Workspace& workspace) {
  const StageKey key = teacher_outputs_key(teacher, needs, features);
  OutputRequest request;
  request.cls_layers = needs.cls_layers;
  const auto folder = ensure_stage(workspace, key, [&](const std::filesystem::path& partial) {
    workspace.say(fmt::format("{}: storing the teacher's outputs", task.name));
    write_teacher_outputs(load_trained_model(teacher.folder, task, workspace), features, request,
                          partial / "teacher.h5", workspace);
    return true;
  });
  std::shared_ptr<const TeacherSplit> outputs;
  const auto read = [&] {
    const TeacherStore store = read_teacher_store(*folder / "teacher.h5", layers);
    outputs = store.splits.at("train");
    check_teacher_matches(store, *outputs, *features.store.split("train"),
                          teacher.checkpoint_sha256);
  };
  workspace.control.agree([&] { read_stage(*folder, read); });
  return outputs;
}

}  // namespace kdbench
