// SPDX-License-Identifier: MIT
#include "suite/stages/training_run.h"

#include <fmt/core.h>

#include "io/base/error.h"
#include "io/base/sha256.h"
#include "io/batches/dataset.h"
#include "methods/models/checkpoint.h"
#include "suite/machine/provenance.h"
#include "suite/machine/stopwatch.h"
#include "suite/results/experiment_record.h"
#include "suite/results/run_record.h"
#include "suite/training/evaluation.h"
#include "suite/training/progress.h"
#include "suite/training/trainer.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// All splits of the run as datasets; the training rows carry the teacher's outputs.
struct RunData {
  std::map<std::string, std::unique_ptr<Dataset>> splits;
  TrainingData training;
};

RunData make_data(const TrainingRun& run) {
  RunData data;
  const auto& labels = run.models.at(kStudent)->config().labels;
  data.training.task = run.task;
  for (const auto& [name, split] : run.features->splits) {
    data.splits[name] =
        make_dataset(split, labels, name == "train" ? run.teacher_outputs : nullptr);
  }
  if (run.online_teacher) {
    auto& rows = data.splits.at("train");
    rows = with_online_teacher(std::move(rows), *run.online_teacher, labels);
  }
  if (data.splits.count("train")) data.training.train = data.splits.at("train").get();
  for (const auto& name : run.task->dev_splits()) {
    if (data.splits.count(name)) data.training.dev.emplace_back(name, data.splits.at(name).get());
  }
  return data;
}

// events.jsonl's line of a step: the student's figures by their plain names, another learner's with
// its role in front.
nlohmann::json step_event(const StepRecord& record) {
  nlohmann::json line{{"type", "step"},
                      {"phase", record.phase},
                      {"phase_name", record.phase_name},
                      {"epoch", record.epoch},
                      {"step", record.step}};
  for (const auto& update : record.updates) {
    const std::string prefix = update.model == kStudent ? "" : update.model + "_";
    line[prefix + "loss"] = update.loss;
    line[prefix + "learning_rate"] = update.learning_rate;
    line[prefix + "grad_norm"] = update.grad_norm;
    for (const auto& [name, value] : update.terms) line["terms"][prefix + name] = value;
  }
  line["step_s"] = record.step_s;
  line["samples"] = record.samples;
  return line;
}

nlohmann::json evaluation_event(const EvaluationRecord& record) {
  return {{"type", "evaluation"}, {"phase", record.phase}, {"epoch", record.epoch},
          {"step", record.step},  {"model", record.model}, {"metrics", record.metrics}};
}

std::string metrics_text(const SplitMetrics& metrics) {
  std::string text;
  for (const auto& [split, values] : metrics) {
    for (const auto& [name, value] : values)
      text += fmt::format(" {} {} {:.4f}", split, name, value);
  }
  return text;
}

// Copies the small files that a tokenizer is made of.
void copy_tokenizer(const fs::path& from, const fs::path& to) {
  for (const char* name : {"vocab.txt", "tokenizer_config.json", "special_tokens_map.json",
                           "tokenizer.json", "vocab.json", "merges.txt"}) {
    if (fs::exists(from / name))
      fs::copy_file(from / name, to / name, fs::copy_options::overwrite_existing);
  }
}

class Execution {
 public:
  Execution(TrainingRun& run, const Workspace& workspace)
      : run_(run), workspace_(workspace), record_(run.folder, workspace.control.root()) {}

  bool go() {
    reset_peak_memory();
    describe();
    control().on_root([&] { record_.begin(); });
    try {
      TrainingResult result = train_or_score();
      predict_all(result);
      if (run_.keep_model) save_model();
      fill_result(result);
    } catch (const Error& error) {
      if (error.code() != ExitCode::kRunFailed || !error.on_every_rank) throw;
      workspace_.say(fmt::format("{}: failed: {}", run_.run_id, error.what()));
      finish("failed", error.what());
      return false;
    }
    finish("done", "");
    return true;
  }

  void fail(const std::string& reason) {
    describe();
    workspace_.say(fmt::format("{}: not run: {}", run_.run_id, reason));
    finish("failed", reason);
  }

 private:
  const Control& control() const { return workspace_.control; }

  void describe() {
    auto& json = record_.json();
    json["schema_version"] = kRunSchemaVersion;
    json["run_id"] = run_.run_id;
    json["started"] = utc_now();
    json["command"] = workspace_.command;
    json["experiment"] = run_.experiment;
    json["task"] = run_.task->name;
    json["method"] = run_.method_name;
    json["label"] = run_.label;
    if (!run_.grid.is_null()) json["grid"] = run_.grid;
    json["role"] = run_.role;
    json["seed"] = run_.seed;
    json["config"] = run_.config;
    control().on_root([&] {
      json["config_hash"] =
          run_.whole ? record_experiment(*run_.whole, workspace_.out) : json_hash(run_.config);
    });
    json["inputs"] = run_.inputs;
    json["data"] = run_.data;
    json["teacher"] = run_.teacher;
    json["checkpoint"] = run_.settings.checkpoint;
    const nlohmann::json build = build_provenance();
    json["git"] = build.value("git", nlohmann::json::object());
    json["build"] = build;
    json["build"].erase("git");
    json["system"] = system_provenance(control(), workspace_.threads);
    json["slurm"] = slurm_provenance();
  }

  TrainingResult train_or_score() {
    control().agree([&] { data_ = make_data(run_); });
    init_s_ = seconds_since(run_.started);
    if (!run_.method) return TrainingResult{};
    const std::string title = fmt::format("{} {} seed {}", run_.task->name, run_.label, run_.seed);
    Progress progress(title, control().root());
    Observer observer;
    observer.step = [&](const StepRecord& step) {
      record_.event(step_event(step));
      progress.step(step.done_steps, step.all_steps,
                    step.updates.empty() ? 0.0 : step.updates.back().loss, step.samples);
    };
    observer.evaluation = [&](const EvaluationRecord& evaluation) {
      record_.event(evaluation_event(evaluation));
      const std::string who = evaluation.model == kStudent ? "" : " " + evaluation.model;
      progress.note(fmt::format("{}: epoch {}{}{}", title, evaluation.epoch + 1, who,
                                metrics_text(evaluation.metrics)));
    };
    return train(*run_.method, {run_.models, run_.memory}, data_.training, run_.settings,
                 static_cast<uint64_t>(run_.seed), control(), workspace_.collectives, observer);
  }

  // Predictions of the kept weights on every split but the training rows, timed: the speed at which
  // the model serves. A model scored as it is gets its metrics here.
  void predict_all(TrainingResult& result) {
    Model& model = *run_.models.at(kStudent);
    for (const auto& [split, dataset] : data_.splits) {
      if (split == "train") continue;
      warm_up(model, *dataset);
      control().barrier();
      const auto started = std::chrono::steady_clock::now();
      const Predictions predictions = predict(model, *dataset, control());
      predict_s_ += seconds_since(started);
      predicted_ += dataset->rows();
      control().on_root(
          [&] { record_.predictions(*run_.task, split, predictions, model.config().labels); });
      if (!run_.method && dataset->labelled())
        result.student.last[split] = task_metrics(*run_.task, predictions);
    }
    if (!run_.method) result.student.best = result.student.last;
    predict_others();
  }

  // What the models that learned beside the student say in the end.
  void predict_others() {
    for (const auto& [role, model] : run_.models) {
      if (role == kStudent) continue;
      for (const auto& [split, dataset] : data_.splits) {
        if (split == "train") continue;
        const Predictions predictions = predict(*model, *dataset, control());
        control().on_root([&] {
          record_.predictions(*run_.task, split + "-" + role, predictions, model->config().labels);
        });
      }
    }
  }

  void save_model() {
    control().on_root([&] {
      const fs::path folder = record_.folder() / "model";
      fs::create_directory(folder);  // not those above it, should they be gone
      save_checkpoint(*run_.models.at(kStudent), folder);
      copy_tokenizer(run_.tokenizer, folder);
    });
  }

  void fill_result(const TrainingResult& result) {
    auto& json = record_.json();
    const Scores& student = result.student;
    json["metrics"] = {
        {"last", student.last}, {"best", student.best}, {"best_epoch", student.best_epoch}};
    for (const auto& [role, scores] : result.others) {
      json["metrics"][role + "_last"] = scores.last;
      json["metrics"][role + "_best"] = scores.best;
      json["metrics"][role + "_best_epoch"] = scores.best_epoch;
    }
    if (!result.counts.empty()) json["counts"] = result.counts;
    const auto& times = result.times;
    const auto rate = [](double amount, double s) { return s > 0 ? amount / s : 0.0; };
    json["throughput"] = {
        {"samples_per_s_global", rate(static_cast<double>(result.samples), times.train)},
        {"tokens_per_s_global", rate(static_cast<double>(result.tokens), times.train)},
        {"model_flops_per_s_global", rate(result.model_flops, times.train)},
        {"predicted_samples_per_s_global", rate(static_cast<double>(predicted_), predict_s_)}};
    json["time"] = {{"init_s", init_s_},
                    {"train_s", times.train},
                    {"compute_s", times.compute},
                    {"comm_exposed_s", times.comm_exposed},
                    {"data_s", times.data},
                    {"eval_s", times.eval},
                    {"predict_s", predict_s_},
                    {"core_s", times.train * control().sum(double(workspace_.threads))}};
    json["steps"] = result.steps;
    json["epochs"] = result.epochs;
    json["samples"] = result.samples;
    json["parameters"] = run_.models.at(kStudent)->parameters().layout().parameter_count();
  }

  void finish(const std::string& status, const std::string& reason) {
    record_.json()["peak_memory_bytes"] = control().max(peak_memory_bytes());
    record_.json()["ended"] = utc_now();
    control().on_root([&] { record_.finish(status, reason); });
  }

  TrainingRun& run_;
  const Workspace& workspace_;
  RunRecord record_;
  RunData data_;
  double init_s_ = 0.0, predict_s_ = 0.0;
  int64_t predicted_ = 0;  // rows, in predict_s_
};

}  // namespace

bool execute(TrainingRun& run, const Workspace& workspace) {
  return Execution(run, workspace).go();
}

void record_failure(TrainingRun& run, const std::string& reason, const Workspace& workspace) {
  Execution(run, workspace).fail(reason);
}

}  // namespace kdbench
