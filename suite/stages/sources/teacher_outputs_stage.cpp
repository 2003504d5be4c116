// SPDX-License-Identifier: MIT
#include "suite/stages/sources/teacher_outputs_stage.h"

#include <fmt/format.h>

#include "io/stores/teacher_store_writer.h"

namespace kdbench {
namespace {

std::string outputs_text(const TeacherNeeds& needs) {
  std::string text = "logits";
  if (!needs.cls_layers.empty()) {
    text += fmt::format(", [CLS] of {} layer{}", needs.cls_layers.size(),
                        needs.cls_layers.size() == 1 ? "" : "s");
  }
  if (!needs.hidden_layers.empty()) {
    text += fmt::format(", every token of {} layer{}", needs.hidden_layers.size(),
                        needs.hidden_layers.size() == 1 ? "" : "s");
  }
  return text;
}

}  // namespace

StageKey teacher_outputs_key(const std::string& model_hash, const std::string& features_hash,
                             const TeacherNeeds& needs) {
  return {"teacher-outputs",
          kTeacherStoreVersion,
          {{"teacher", model_hash},
           {"features", features_hash},
           {"cls_layers", needs.cls_layers},
           {"hidden_layers", needs.hidden_layers}}};
}

int64_t teacher_store_bytes(const FeatureSplit& rows, const TeacherNeeds& needs,
                            const ModelShapes& shapes) {
  if (!takes_outputs(needs)) return 0;
  TeacherSplitSize size;
  size.rows = rows.rows();
  size.tokens = rows.offsets.back();
  size.classes = shapes.outputs;
  size.hidden_size = shapes.teacher ? shapes.teacher->hidden : 0;
  size.cls_layers = static_cast<int64_t>(needs.cls_layers.size());
  size.hidden_layers = static_cast<int64_t>(needs.hidden_layers.size());
  return stored_bytes(size, "float32");
}

int64_t teacher_outputs_bytes(int64_t rows, const TeacherNeeds& needs, const ModelShapes& shapes) {
  if (!takes_outputs(needs)) return 0;
  int64_t floats = shapes.outputs;
  if (shapes.teacher) {
    floats += static_cast<int64_t>(needs.cls_layers.size()) * shapes.teacher->hidden;
  }
  return rows * (static_cast<int64_t>(sizeof(int64_t)) + floats * int64_t{sizeof(float)});
}

TeacherOutputsStage::TeacherOutputsStage(SourceModel& model, TrainingRows rows, TeacherNeeds needs,
                                         ModelShapes shapes, StageKey key)
    : SharedStage(std::move(key), model.task(),
                  fmt::format("{}: {}{}", model.name_for_others(), outputs_text(needs),
                              rows.split == kTransferSplit ? " on the transfer set" : "")),
      model_(need(model)),
      rows_(std::move(rows)),
      needs_(std::move(needs)),
      shapes_(std::move(shapes)) {
  need(*rows_.stage);
}

Cost TeacherOutputsStage::cost(TrainingCosts& costs, const Workspace& workspace) {
  const auto rows = rows_.read(workspace);
  Cost cost;
  cost.disk_bytes = teacher_store_bytes(*rows, needs_, shapes_);
  cost.memory_bytes = values_bytes(costs.outline(model_.initial()));
  cost.flops = costs.forward_flops(model_.initial(), rows);
  return cost;
}

bool TeacherOutputsStage::make_in(const std::filesystem::path& partial,
                                  const Workspace& workspace) {
  workspace.say(fmt::format("{}: storing the teacher's outputs", task()));
  OutputRequest request;
  request.splits = {rows_.split};
  request.cls_layers = needs_.cls_layers;
  request.hidden_layers = needs_.hidden_layers;
  write_teacher_outputs(
      load_trained_model(model_.finished_model(workspace), *model_.initial().task, workspace),
      rows_.stage->rows(workspace), request, partial / "teacher.h5", workspace);
  return true;
}

std::shared_ptr<const TeacherSplit> TeacherOutputsStage::read(const TeacherNeeds& own,
                                                              const Workspace& workspace) {
  auto& outputs = read_[{own.cls_layers, own.hidden_layers}];
  if (outputs) return outputs;
  const std::filesystem::path& stage = contents(workspace);
  const std::string checkpoint = model_.checkpoint_sha256(workspace);
  const auto rows = rows_.read(workspace);
  workspace.control.agree_reading([&] {
    read_stage(stage, [&] {
      const TeacherStore store = read_teacher_store(
          stage / "teacher.h5", teacher_part(own, rows_.split, workspace.control),
          workspace.control.host());
      outputs = store.splits.at(rows_.split);
      check_teacher_matches(store, *outputs, *rows, checkpoint);
    });
  });
  return outputs;
}

TeacherOutputsStage& teacher_outputs_stage(Graph& graph, SourceModel& model,
                                           const TrainingRows& rows, const TeacherNeeds& needs,
                                           const ModelShapes& shapes) {
  StageKey key = teacher_outputs_key(model.hash(), rows.stage->hash(), needs);
  return graph.add<TeacherOutputsStage>(key.hash(), [&] {
    return std::make_unique<TeacherOutputsStage>(model, rows, needs, shapes, std::move(key));
  });
}

}  // namespace kdbench
