// SPDX-License-Identifier: MIT
#include "suite/stages/sources/feature_memory_stage.h"

#include <fmt/format.h>

#include "io/base/sha256.h"
#include "io/weights/safetensors.h"
#include "suite/stages/sources/outputs_file.h"
#include "suite/training/finite.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr int kFeatureMemoryVersion = 1;

// `states`: the hash of what gives the states.
StageKey feature_memory_key(const std::string& states, const FeatureMemoryNeeds& needs,
                            const std::string& features) {
  return {"feature-memory",
          kFeatureMemoryVersion,
          {{"teacher", states},
           {"features", features},
           {"layer", needs.layer},
           {"centroids", needs.centroids},
           {"epochs", needs.epochs}}};
}

std::string states_text(const StatesSource& source, const ResolvedMethod& method) {
  if (!source.file) return source.model->name_for_others();
  return fmt::format("{} {}", method.task->name, source.file->filename().string());
}

}  // namespace

FeatureMemoryStage::FeatureMemoryStage(StatesSource source, const ResolvedMethod& method,
                                       FeaturesStage& rows, StageKey key)
    : SharedStage(
          std::move(key), method.task->name,
          fmt::format("{}: {} centroids of layer {}", states_text(source, method),
                      method.needs.feature_memory.centroids, method.needs.feature_memory.layer)),
      source_(std::move(source)),
      method_(method),
      rows_(need(rows)) {
  if (source_.model) need(*source_.model);
  if (source_.stored) need(*source_.stored);
}

Cost FeatureMemoryStage::cost(TrainingCosts& costs, const Workspace& workspace) {
  Cost cost;
  cost.disk_bytes = cost.memory_bytes =
      feature_memory_bytes(method_.needs.feature_memory, method_.shapes);
  if (!source_.stored && source_.model) {
    const InitialModel& model = source_.model->initial();
    cost.memory_bytes += values_bytes(costs.outline(model));
    cost.flops = static_cast<double>(method_.needs.feature_memory.epochs) *
                 costs.forward_flops(model, rows_.rows(workspace).store.split(kTrainSplit));
  }
  return cost;
}

bool FeatureMemoryStage::make_in(const fs::path& partial, const Workspace& workspace) {
  const FeatureMemoryNeeds& needs = method_.needs.feature_memory;
  workspace.say(fmt::format("{}: training a memory of {} centroids, layer {}", task(),
                            needs.centroids, needs.layer));
  const at::Tensor centroids = train(workspace);
  workspace.control.agree([&] {
    if (!at::isfinite(centroids).all().item<bool>()) throw not_finite(title(), "the centroids are");
  });
  const FeatureMemoryOrigin origin{task(), needs.layer, key().inputs.at("teacher")};
  workspace.control.on_root(
      [&] { write_feature_memory(centroids, origin, partial / kFeatureMemoryFile); });
  return true;
}

at::Tensor FeatureMemoryStage::train(const Workspace& workspace) {
  if (!source_.stored && source_.model) return train_on_model(workspace);
  TeacherNeeds own;
  own.hidden_layers = {method_.needs.feature_memory.layer};
  if (source_.stored) return train_on_store(source_.stored->read(own, workspace), workspace);
  const Features& rows = rows_.rows(workspace);
  std::shared_ptr<const TeacherSplit> states;
  workspace.control.agree_reading([&] {
    states = read_outputs_file(method_, own, rows.store.info, *rows.store.split(kTrainSplit),
                               workspace.control);
  });
  return train_on_store(states, workspace);
}

at::Tensor FeatureMemoryStage::train_on_store(const std::shared_ptr<const TeacherSplit>& states,
                                              const Workspace& workspace) {
  const Features& rows = rows_.rows(workspace);
  StatesPass pass;
  workspace.control.agree(
      [&] { pass = stored_states(states, rows.store.split(kTrainSplit), workspace.control); });
  return train_feature_memory(method_.needs.feature_memory, rows.store.info.max_seq_length,
                              states->hidden_size, pass, workspace);
}

at::Tensor FeatureMemoryStage::train_on_model(const Workspace& workspace) {
  const TrainedModel model =
      load_trained_model(source_.model->finished_model(workspace), *method_.task, workspace);
  const Features& rows = source_.model->rows().rows(workspace);
  const FeatureMemoryNeeds& needs = method_.needs.feature_memory;
  StatesPass pass;
  workspace.control.agree([&] {
    pass = computed_states(model, needs.layer, rows.store.split(kTrainSplit), workspace.control);
  });
  return train_feature_memory(needs, rows_.rows(workspace).store.info.max_seq_length,
                              model.model->config().hidden, pass, workspace);
}

const FeatureMemory& FeatureMemoryStage::read(const Workspace& workspace) {
  if (memory_) return *memory_;
  const fs::path file = contents(workspace) / kFeatureMemoryFile;
  FeatureMemory memory;
  workspace.control.agree([&] {
    read_stage(file.parent_path(), [&] { memory.teacher = read_safetensors(file).at("teacher"); });
  });
  memory_ = memory;
  return *memory_;
}

FeatureMemoryStage& feature_memory_stage(Graph& graph, const StatesSource& source,
                                         const ResolvedMethod& method, FeaturesStage& rows,
                                         const Workspace& workspace) {
  const StageKey key = key_from_root(workspace.control, [&] {
    return feature_memory_key(source.file ? file_sha256(*source.file) : source.model->hash(),
                              method.needs.feature_memory, rows.hash());
  });
  return graph.add<FeatureMemoryStage>(
      key.hash(), [&] { return std::make_unique<FeatureMemoryStage>(source, method, rows, key); });
}

}  // namespace kdbench
