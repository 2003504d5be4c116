// SPDX-License-Identifier: MIT
#include "suite/models/build_model.h"

#include "io/base/error.h"
#include "io/base/text.h"
#include "io/weights/weight_files.h"
#include "methods/models/initialization.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

ModelSpec spec_of(const InitialModel& initial, at::Device device) {
  ModelSpec spec;
  spec.config = initial.config;
  spec.outputs = initial.task->classes();
  spec.extra = initial.extra;
  spec.device = device;
  return spec;
}

void say_report(const InitialModel& initial, const LoadReport& report, const fs::path& folder,
                const Workspace& workspace) {
  if (initial.frozen && initial.labels_assumed) {
    workspace.say(folder.string() +
                  ": its labels have no names, they are taken to be, in this order, " +
                  joined(initial.task->labels, ", "));
  }
  if (!report.missing.empty()) {
    workspace.say(folder.string() + ": begin at random: " + first_few(report.missing));
  }
  if (!report.unexpected.empty()) {
    workspace.say(folder.string() + ": not used: " + first_few(report.unexpected));
  }
}

}  // namespace

void check_whole(const LoadReport& report, const fs::path& folder) {
  if (report.missing.empty()) return;
  throw_user_error(folder.string(),
                   "holds no " + report.missing.front() + ", and is used without training",
                   "fine-tune it first (in an experiment: add [teacher.train])");
}

std::unique_ptr<Model> outline_model(const InitialModel& initial) {
  return make_model(spec_of(initial, at::kMeta));
}

std::unique_ptr<Model> build_model(const InitialModel& initial, const Workspace& workspace) {
  std::unique_ptr<Model> model;
  workspace.control.agree([&] {
    model = make_model(spec_of(initial, workspace.device));
    initialize_parameters(*model, initial.seed);
    if (const auto folder = initial.weights()) {
      const LoadReport report = initialize_from_checkpoint(*model, *folder, initial.settings.init);
      if (initial.frozen) check_whole(report, *folder);
      say_report(initial, report, *folder, workspace);
    }
  });
  return model;
}

TrainedModel load_trained_model(const fs::path& folder, const Task& task,
                                const Workspace& workspace) {
  InitialModel initial;
  workspace.control.agree([&] {
    ModelSettings settings;
    settings.weights = folder;
    initial = initial_model(settings, task);
    initial.frozen = true;
  });
  auto model = build_model(initial, workspace);
  const auto sha256 = from_root(workspace.control, [&] { return model_weights_sha256(folder); });
  return {std::move(model), &task, sha256.get<std::string>()};
}

}  // namespace kdbench
