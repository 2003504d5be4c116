// SPDX-License-Identifier: MIT
#include "suite/stages/sources/source_model.h"

#include <fmt/core.h>

#include "io/weights/weight_files.h"
#include "suite/config/experiment.h"

namespace kdbench {

SourceModel::SourceModel(StageKey key, std::string title, InitialModel initial, FeaturesStage& rows)
    : SharedStage(std::move(key), initial.task->name, std::move(title)),
      initial_(std::move(initial)),
      rows_(rows) {}

std::filesystem::path SourceModel::model_folder(const Workspace& workspace) {
  return folder(workspace) / "run" / "model";
}

std::filesystem::path SourceModel::finished_model(const Workspace& workspace) {
  return contents(workspace) / "run" / "model";
}

const std::string& SourceModel::checkpoint_sha256(const Workspace& workspace) {
  if (checkpoint_sha256_.empty()) {
    const std::filesystem::path model = finished_model(workspace);
    const auto weights = from_root(workspace.control, [&] { return model_weights_sha256(model); });
    checkpoint_sha256_ = weights.get<std::string>();
  }
  return checkpoint_sha256_;
}

std::string SourceModel::name_for_others() const {
  return fmt::format("{}{} seed {}", task(), kind() == kTeacher ? "" : " " + kind(),
                     static_cast<int64_t>(initial_.seed));
}

}  // namespace kdbench
