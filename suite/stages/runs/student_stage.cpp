// SPDX-License-Identifier: MIT
#include "suite/stages/runs/student_stage.h"

#include <fmt/core.h>

#include "io/base/sha256.h"
#include "suite/graph/run_place.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr int kRunVersion = 2;

// Everything that the run's result depends on.
nlohmann::json run_inputs(const Learner& learner, const InitialModel& model) {
  const ResolvedMethod& method = *learner.resolved;
  nlohmann::json inputs{{"version", kRunVersion},
                        {"task", learner.task->name},
                        {"method", learner.method_name},
                        {"label", learner.label},
                        {"options", method.option_inputs},
                        {"train", to_json(learner.train)},
                        {"student", model_inputs(model)},
                        {"features", learner.rows->hash()},
                        {"seed", learner.seed}};
  inputs["train"].erase("seeds");
  // A finished teacher that goes on learning is named by its stage.
  const SourceModel* source = method.needs.teacher ? learner.source->model : nullptr;
  if (source) {
    inputs[method.needs.from_assistant ? "assistant" : "teacher"] = source->hash();
  } else if (learner.beside) {
    inputs["learning_teacher"] = model_inputs(*learner.beside);
  }
  if (learner.rows_beside) inputs["teacher_features"] = learner.rows_beside->hash();
  if (!method.settings->transfer.empty()) {
    inputs["transfer"] = {{"features", learner.training.stage->hash()},
                          {"labels", method.experiment->transfer->labels}};
  }
  if (learner.source->file) inputs["teacher_outputs"] = file_sha256(*learner.source->file);
  return inputs;
}

std::string title_of(const Learner& learner) {
  return fmt::format("{} {} seed {}{}", learner.task->name, learner.label, learner.seed,
                     learner.source->online ? ", teacher online" : "");
}

Learner student_learner(const ResolvedMethod& method, int64_t seed, FeaturesStage& rows,
                        const TrainingRows& learned, std::shared_ptr<const Source> source) {
  Learner learner;
  learner.experiment = method.experiment->name;
  learner.whole = method.experiment;
  learner.config = [&method] {
    return run_config(*method.experiment, *method.task, method.settings);
  };
  learner.role = "student";
  learner.label = method.settings->label;
  learner.method_name = method.settings->name;
  learner.task = method.task;
  learner.seed = seed;
  learner.train = method.train;
  if (!method.settings->grid.empty()) {
    learner.grid = {{"label", method.settings->grid}, {"point", method.settings->grid_point}};
  }
  learner.method = [&method] { return method.make(); };
  learner.model = student_model(method, seed);
  learner.beside = learning_teacher(method, seed);
  if (learner.beside && source->teacher_rows->hash() != rows.hash())
    learner.rows_beside = source->teacher_rows;
  learner.rows = &rows;
  learner.training = learned;
  learner.resolved = &method;
  learner.source = std::move(source);
  return learner;
}

}  // namespace

StudentStage::StudentStage(Learner own) : RunStage(own, title_of(own)) {}

nlohmann::json StudentStage::find_inputs(const Workspace& workspace) const {
  InitialModel model = learner().model;
  if (learner().resolved->begins_as_teacher()) {
    const fs::path teacher = learner().source->model->model_folder(workspace);
    if (!fs::exists(teacher)) return {};
    check_stage(learner().source->model->folder(workspace));
    model.teacher_folder = teacher;
  }
  return run_inputs(learner(), model);
}

std::string StudentStage::stem() const {
  return fmt::format("{}-{}-s{}", learner().task->name, folder_text(learner().label),
                     learner().seed);
}

StudentStage& student_stage(StageContext& context, const ResolvedMethod& method, int64_t seed,
                            FeaturesStage& rows, const TrainingRows& learned,
                            std::shared_ptr<const Source> source) {
  Learner learner = student_learner(method, seed, rows, learned, std::move(source));
  if (const auto& kind = method.settings->transfer; !kind.empty())
    learner.transfer = context.transfer.at({method.task, kind});
  const std::string identity =
      fmt::format("run {} {} {}", method.task->name, method.settings->label, seed);
  return context.graph.add<StudentStage>(
      identity, [&] { return std::make_unique<StudentStage>(std::move(learner)); });
}

}  // namespace kdbench
