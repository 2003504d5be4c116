// SPDX-License-Identifier: MIT
#include "suite/stages/teacher.h"

#include <fmt/core.h>

#include <fstream>

#include "io/dataset.h"
#include "io/error.h"
#include "methods/registry.h"
#include "suite/results/run_record.h"
#include "suite/training/evaluation.h"
#include "suite/training/model_setup.h"
#include "suite/training/training_run.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr int kTeacherVersion = 1;

ModelRequest model_request(const Experiment& experiment, const Task& task, int64_t seed) {
  ModelRequest request;
  request.settings = experiment.teacher->model;
  request.task = &task;
  request.seed = static_cast<uint64_t>(seed);
  request.frozen = !experiment.teacher->train;
  if (experiment.teacher->train) request.dropout = experiment.teacher_train_of(task.name).dropout;
  return request;
}

// What the teacher's weights and scores depend on.
nlohmann::json teacher_inputs(const Experiment& experiment, const ModelRequest& request,
                              const Features& features) {
  nlohmann::json inputs{{"features", features.hash}, {"model", model_inputs(request)}};
  if (experiment.teacher->train)
    inputs["train"] = to_json(experiment.teacher_train_of(request.task->name));
  if (inputs.contains("train")) inputs["train"].erase("seeds");
  return inputs;
}

// Fine-tunes (or only scores) the teacher and leaves its run in `folder`.
void make_teacher(const Experiment& experiment, const ModelRequest& request,
                  const nlohmann::json& inputs, const std::string& hash, const Features& features,
                  const fs::path& folder, const Workspace& workspace) {
  TrainingRun run;
  run.run_id =
      fmt::format("{}-teacher-s{}-{}", request.task->name, request.seed, hash.substr(0, 8));
  run.folder = folder / "run";
  run.experiment = experiment.name;
  run.role = "teacher";
  run.label = "teacher";
  run.method_name = experiment.teacher->train ? "finetune" : "none";
  run.task = request.task;
  run.seed = static_cast<int64_t>(request.seed);
  run.settings = experiment.teacher_train_of(request.task->name);
  run.config = experiment.to_json();
  run.inputs = inputs;
  run.data = describe(features);
  const auto model = build_model(request, workspace);
  const auto method = find_method("finetune").make(Options{});
  if (experiment.teacher->train) run.method = method.get();
  run.models = {{kStudent, model.get()}};
  run.features = &features.store;
  run.tokenizer = tokenizer_folder(request.settings);
  execute(run, workspace);
}

std::string read_status(const fs::path& run_folder) {
  std::ifstream file(run_folder / "run.json");
  const auto run = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!run.is_object()) throw_user_error((run_folder / "run.json").string(), "is gone or damaged");
  return run.value("status", "failed");
}

TeacherSplit forward_training_rows(Model& model, const Dataset& data, const FeatureSplit& features,
                                   const TeacherNeeds& needs, const Control& control) {
  TeacherSplit split;
  split.name = features.name;
  split.source_sha256 = features.source_sha256;
  split.label_order = model.config().labels;
  split.classes = model.parameters()["classifier.bias"].size(0);
  split.cls_layers = needs.cls_layers;
  split.hidden_size = model.config().hidden;
  ForwardMode mode;
  mode.cls_states = !needs.cls_layers.empty();
  const auto append = [](std::vector<float>& to, const at::Tensor& rows) {
    const at::Tensor flat = rows.to(at::kCPU, at::kFloat).contiguous();
    to.insert(to.end(), flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel());
  };
  forward_share(model, data, control, mode, [&](const Batch& batch, const Outputs& outputs) {
    const int64_t* ids = batch.row_ids.const_data_ptr<int64_t>();
    split.row_ids.insert(split.row_ids.end(), ids, ids + batch.rows());
    append(split.logits, outputs.logits);
    if (!mode.cls_states) return;
    const at::TensorOptions index(at::kLong);
    append(split.cls, outputs.cls.index_select(
                          1, at::tensor(needs.cls_layers, index.device(outputs.cls.device())) - 1));
  });
  return split;
}

// The teacher as a model again, from its saved folder.
std::unique_ptr<Model> load_teacher(const Teacher& teacher, const Task& task,
                                    const Workspace& workspace) {
  ModelRequest request;
  request.settings.weights = teacher.folder;
  request.task = &task;
  return build_model(request, workspace);
}

}  // namespace

Teacher ensure_teacher(const Experiment& experiment, const Task& task, int64_t seed,
                       const Features& features, const Workspace& workspace) {
  const ModelRequest request = model_request(experiment, task, seed);
  StageKey key{"teacher", kTeacherVersion, {}};
  workspace.control.agree([&] { key.inputs = teacher_inputs(experiment, request, features); });
  const fs::path folder = ensure_stage(workspace, key, [&](const fs::path& partial) {
    make_teacher(experiment, request, key.inputs, key.hash(), features, partial, workspace);
  });
  Teacher teacher;
  teacher.run_folder = folder / "run";
  teacher.folder = teacher.run_folder / "model";
  teacher.hash = key.hash();
  const auto read = [&] {
    teacher.failed = read_status(teacher.run_folder) != "done";
    if (!teacher.failed) teacher.checkpoint_sha256 = model_weights_sha256(teacher.folder);
  };
  workspace.control.agree([&] { read_stage(folder, read); });
  return teacher;
}

std::shared_ptr<const TeacherSplit> ensure_teacher_outputs(const Teacher& teacher, const Task& task,
                                                           const TeacherNeeds& needs,
                                                           const Features& features,
                                                           const Workspace& workspace) {
  StageKey key{
      "teacher-outputs",
      kTeacherStoreVersion,
      {{"teacher", teacher.hash}, {"features", features.hash}, {"cls_layers", needs.cls_layers}}};
  const auto rows = features.store.split("train");
  const fs::path folder = ensure_stage(workspace, key, [&](const fs::path& partial) {
    workspace.say(fmt::format("{}: storing the teacher's outputs", task.name));
    const auto model = load_teacher(teacher, task, workspace);
    const auto data = make_dataset(rows, model->config().labels);
    const TeacherSplit share =
        forward_training_rows(*model, *data, *rows, needs, workspace.control);
    TeacherStoreInfo info;
    info.task = task.name;
    info.checkpoint_sha256 = teacher.checkpoint_sha256;
    write_teacher_store(partial / "teacher.h5", workspace.control.comm(), info, {share});
  });
  std::shared_ptr<const TeacherSplit> outputs;
  const auto read = [&] {
    const TeacherStore store = read_teacher_store(folder / "teacher.h5");
    outputs = store.splits.at("train");
    check_teacher_matches(store, *outputs, *rows, teacher.checkpoint_sha256);
  };
  workspace.control.agree([&] { read_stage(folder, read); });
  return outputs;
}

fs::path publish_run(const fs::path& run_folder, const std::string& experiment,
                     const Workspace& workspace) {
  std::string published;
  workspace.control.on_root([&] {
    std::ifstream file(run_folder / "run.json");
    nlohmann::json run = nlohmann::json::parse(file);
    const fs::path named = workspace.out / experiment / run.at("run_id").get<std::string>();
    bool done = false;
    const fs::path target = free_run_folder(named, &done);
    published = target.string();
    if (done) return;
    const fs::path partial = target.string() + ".partial";
    fs::remove_all(partial);
    fs::create_directories(partial);
    for (const auto& entry : fs::directory_iterator(run_folder)) {
      if (entry.path().filename() != "model" && entry.path().filename() != "run.json") {
        fs::copy(entry.path(), partial / entry.path().filename(), fs::copy_options::recursive);
      }
    }
    // The same teacher serves several experiments: its record here names this one, and where the
    // weights lie.
    run["experiment"] = experiment;
    if (run.value("status", "") == "done")
      run["model"] = fs::relative(run_folder / "model", target).string();
    std::ofstream copy(partial / "run.json");
    copy << run.dump(2) << "\n";
    if (!copy.flush())
      throw_machine_error(partial.string(), "cannot write run.json", "is the disk full?");
    copy.close();
    fs::rename(partial, target);
  });
  return workspace.control.broadcast(published);
}

}  // namespace kdbench
