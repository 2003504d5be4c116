// SPDX-License-Identifier: MIT
#include "suite/stages/runs/training_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>

#include "io/base/error.h"
#include "io/base/sha256.h"
#include "io/tokenizers/tokenizer.h"
#include "methods/models/checkpoint.h"
#include "suite/machine/device.h"
#include "suite/machine/gemm_speed.h"
#include "suite/machine/provenance.h"
#include "suite/machine/stopwatch.h"
#include "suite/machine/trace.h"
#include "suite/ranks/stop_signals.h"
#include "suite/results/experiment_record.h"
#include "suite/results/run_events.h"
#include "suite/results/run_record.h"
#include "suite/stages/runs/run_keeper.h"
#include "suite/stages/runs/run_parts.h"
#include "suite/training/evaluation.h"
#include "suite/training/metrics.h"
#include "suite/training/precision.h"
#include "suite/training/progress.h"
#include "suite/training/step_work.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

using Clock = std::chrono::steady_clock;

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
  for (const char* name : kTokenizerFiles) {
    if (fs::exists(from / name))
      fs::copy_file(from / name, to / name, fs::copy_options::overwrite_existing);
  }
}

// Of the model that others trained and that it learns from.
nlohmann::json source_record(const Learner& learner, const Workspace& workspace) {
  if (!learner.source || !learner.source->model || !learner.resolved->needs.teacher) return {};
  SourceModel& model = *learner.source->model;
  return {{"stage", model.hash()}, {"checkpoint", model.checkpoint_sha256(workspace)}};
}

// How much longer matrix products take here. Measured once in a process, not before each training.
double times_as_long_as_fp32(at::ScalarType type) {
  constexpr double kSeconds = 0.1;
  static std::map<at::ScalarType, double> known;
  const auto [entry, is_new] = known.try_emplace(type, 0.0);
  if (is_new)
    entry->second = measure_gemm(kSeconds).flops_per_s / measure_gemm(kSeconds, type).flops_per_s;
  return entry->second;
}

class Execution {
 public:
  Execution(const Learner& learner, const RunTarget& target, const Workspace& workspace)
      : learner_(learner),
        target_(target),
        workspace_(workspace),
        record_(target.folder, workspace.control.root()),
        keeper_(target.checkpoints, target.inputs, learner.train, workspace, record_),
        watch_(workspace.control, workspace.threads) {}

  // Why it failed, or nothing.
  std::string go(RunParts parts, Clock::time_point started) {
    parts_ = std::move(parts);
    reset_peak_memory();
    describe();
    record_.json()["teacher"] = source_record(learner_, workspace_);
    remark_one_class();
    if (parts_.method) keeper_.take_over(title());
    control().on_root([&] { record_.begin(); });
    try {
      TrainingResult result = train_or_score(seconds_since(started));
      predict_all(result);
      if (learner_.keep_model) save_model();
      fill_result(result);
    } catch (const Error& error) {
      if (error.code() == ExitCode::kStopped) stop(error.message());
      if (error.code() != ExitCode::kRunFailed || !error.on_every_rank) throw;
      workspace_.say(fmt::format("{}: failed: {}", target_.run_id, error.what()));
      finish("failed", error.what());
      return error.what();
    }
    finish("done", "");
    return "";
  }

  void fail(const std::string& reason) {
    describe();
    workspace_.say(fmt::format("{}: not run: {}", target_.run_id, reason));
    finish("failed", reason);
  }

 private:
  const Control& control() const { return workspace_.control; }

  void describe() {
    auto& json = record_.json();
    json["schema_version"] = kRunSchemaVersion;
    json["run_id"] = target_.run_id;
    json["started"] = utc_now();
    json["command"] = workspace_.command;
    json["experiment"] = learner_.experiment;
    json["task"] = learner_.task->name;
    json["method"] = learner_.method_name;
    json["label"] = learner_.label;
    if (!learner_.grid.is_null()) json["grid"] = learner_.grid;
    json["role"] = learner_.role;
    json["seed"] = learner_.seed;
    json["config"] = learner_.config();
    control().on_root([&] {
      json["config_hash"] = learner_.whole ? record_experiment(*learner_.whole, workspace_.out)
                                           : json_hash(json["config"]);
    });
    json["inputs"] = target_.inputs;
    json["data"] = kdbench::describe(learner_.rows->rows(workspace_));
    if (learner_.transfer) json["transfer_set"] = learner_.transfer->record(workspace_);
    json["remarks"] = learner_.model.remarks();
    json["teacher"] = nullptr;
    json["checkpoint"] = learner_.train.checkpoint;
    const nlohmann::json build = build_provenance();
    json["git"] = build.value("git", nlohmann::json::object());
    json["build"] = build;
    json["build"].erase("git");
    json["system"] = system_provenance(control(), workspace_.threads, workspace_.device);
    json["slurm"] = slurm_provenance();
  }

  std::string title() const {
    const std::string text = fmt::format("{} {}", learner_.task->name, learner_.label);
    return parts_.method ? fmt::format("{} seed {}", text, learner_.seed) : text;
  }

  // Shows how far a pass over so many rows is.
  RowsSeen pass_over(const std::string& what, int64_t rows) const {
    auto progress = std::make_shared<PassProgress>(title() + ", " + what, rows, control().size(),
                                                   *workspace_.log, control().root());
    return [progress](int64_t done) { progress->seen(done); };
  }

  TrainingResult train_or_score(double init_s) {
    Keeping keeping = keeper_.keeping(init_s);
    if (!parts_.method) return TrainingResult{};
    warn_of_slow_precision();
    Progress progress(title(), *workspace_.log, control().root());
    Observer observer;
    observer.step = [&](const StepRecord& step) {
      record_.event(step_event(step));
      progress.step(step.done_steps, step.all_steps,
                    step.updates.empty() ? 0.0 : step.updates.back().loss, step.samples);
    };
    observer.evaluation = [&](const EvaluationRecord& evaluation) {
      record_.event(evaluation_event(evaluation));
      const std::string who = evaluation.model == kStudent ? "" : " " + evaluation.model;
      progress.note(
          fmt::format("epoch {}{}{}", evaluation.epoch + 1, who, metrics_text(evaluation.metrics)));
    };
    observer.no_shared_memory = [&](const std::string& obstacle) {
      workspace_.say_once(
          "kdbench: the ranks exchange gradients, they cannot share their memory: " + obstacle);
    };
    observer.pass = [&](const std::string& split, int64_t rows) {
      return pass_over("evaluating " + split, rows);
    };
    nlohmann::json events = nlohmann::json::array();
    const bool traces = workspace_.trace && !workspace_.trace->done;
    if (traces) observer.around_step = traced_step(events);
    const StopLater later;
    TrainingResult result =
        train(*parts_.method, {parts_.learners(), parts_.source.feature_memory},
              parts_.training(*learner_.task), learner_.train, static_cast<uint64_t>(learner_.seed),
              control(), workspace_.collectives, observer, std::move(keeping));
    if (traces) {
      write_trace(workspace_.trace->file, events, control());
      workspace_.trace->done = true;
    }
    return result;
  }

  // Its training is kept. What follows is the next job's.
  [[noreturn]] void stop(const std::string& where) {
    const std::string reason =
        StopSignals::asked() ? fmt::format("{}, by {}", where, StopSignals::name()) : where;
    record_.json()["ended"] = utc_now();
    control().on_root([&] { record_.stop(reason); });
    Error error(ExitCode::kStopped, title(), reason, "saved: the same command goes on from there");
    error.on_every_rank = true;
    throw error;
  }

  // One that is warm, or the last.
  static std::function<std::shared_ptr<void>(int64_t, int64_t)> traced_step(
      nlohmann::json& events) {
    return [&events](int64_t done, int64_t all) -> std::shared_ptr<void> {
      constexpr int64_t kWarm = 10;
      if (done != std::min(kWarm, all - 1)) return nullptr;
      return std::make_shared<TraceRecording>(events);
    };
  }

  // Few CPUs have units for the types of low precision.
  void warn_of_slow_precision() const {
    constexpr double kNoticed = 1.1;
    const at::ScalarType type = type_of(learner_.train.precision);
    if (type == at::kFloat || !workspace_.device.is_cpu() || !control().root()) return;
    const double ratio = times_as_long_as_fp32(type);
    if (ratio > kNoticed) {
      workspace_.say(
          fmt::format("{}: warning: in {} matrix products take {:.1f} times as long as in "
                      "fp32 on this CPU",
                      title(), learner_.train.precision, ratio));
    }
  }

  // Predictions of the kept weights on every split but the training rows, timed: the speed at which
  // the model serves. A model scored as it is gets its metrics here.
  void predict_all(TrainingResult& result) {
    Model& model = parts_.student();
    for (const auto& [split, dataset] : parts_.predicted) {
      warm_up(model, *dataset);
      synchronize(workspace_.device);
      control().barrier();
      const auto started = std::chrono::steady_clock::now();
      const Predictions predictions = predict(model, *dataset, control(), "on " + split,
                                              pass_over("predicting " + split, dataset->rows()));
      predict_s_ += seconds_since(started);
      predicted_ += dataset->rows();
      control().on_root([&, &split = split] {
        record_.predictions(*learner_.task, split, predictions, model.config().labels);
      });
      if (parts_.method || !dataset->labelled()) continue;
      result.student.last[split] = task_metrics(*learner_.task, predictions);
      remark_order(split, predictions);
    }
    if (!parts_.method) score_texts(result);
    if (!parts_.method) result.student.best = result.student.last;
    predict_others();
  }

  // Of a language model that is used as it is.
  void score_texts(TrainingResult& result) {
    for (const auto& [split, texts] : parts_.scored) {
      result.student.last[split] =
          parts_.evaluator->scores(parts_.student(), *texts, control(), "on " + split,
                                   pass_over("evaluating " + split, texts->rows()));
    }
  }

  // A student can only learn to say the same of everything.
  void remark_one_class() {
    if (!learner_.transfer || !parts_.source.stored) return;
    if (!says_one_class(*parts_.source.stored)) return;
    const std::string remark = "the teacher finds one class in the whole transfer set";
    record_.json()["remarks"].push_back(remark);
    workspace_.say(fmt::format("{}: warning: {}", title(), remark));
  }

  // A model that nobody trained here and that is far worse than chance names its labels wrongly.
  void remark_order(const std::string& split, const Predictions& predictions) {
    if (!below_chance(*learner_.task, predictions)) return;
    const std::string remark =
        split + ": its predictions are far worse than chance; are its labels in another order?";
    record_.json()["remarks"].push_back(remark);
    workspace_.say(fmt::format("{} {}: {}", learner_.task->name, learner_.label, remark));
  }

  // What the models that learned beside the student say in the end.
  void predict_others() {
    for (const auto& [role, model] : parts_.models) {
      if (role == kStudent) continue;
      for (const auto& [split, dataset] : parts_.predicted) {
        const Predictions predictions =
            predict(*model, rows_of(*dataset, role), control(), "the " + role + " on " + split,
                    pass_over("the " + role + " predicting " + split, dataset->rows()));
        const std::string name = split + "-" + role;
        const auto& labels = model->config().labels;
        control().on_root([&] { record_.predictions(*learner_.task, name, predictions, labels); });
      }
    }
  }

  void save_model() {
    control().on_root([&] {
      const fs::path folder = record_.folder() / "model";
      fs::create_directory(folder);  // not those above it, should they be gone
      save_checkpoint(parts_.student(), folder);
      copy_tokenizer(tokenizer_folder(learner_.model.settings, *learner_.task), folder);
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
    json["time"] = {{"init_s", keeper_.init_s()},
                    {"train_s", times.train},
                    {"compute_s", times.compute},
                    {"wait_s", times.wait},
                    {"comm_exposed_s", times.comm_exposed},
                    {"data_s", times.data},
                    {"eval_s", times.eval},
                    {"checkpoint_s", times.checkpoint},
                    {"predict_s", predict_s_},
                    {"core_s", keeper_.core_s(times.train)}};
    json["steps"] = result.steps;
    json["epochs"] = result.epochs;
    json["samples"] = result.samples;
    json["parameters"] = parts_.student().parameters().layout().parameter_count();
  }

  void finish(const std::string& status, const std::string& reason) {
    record_.json()["peak_memory_bytes"] = control().max(peak_memory_bytes());
    record_.json()["ended"] = utc_now();
    record_cpu_use();
    control().on_root([&] { record_.finish(status, reason); });
  }

  void record_cpu_use() {
    const auto hosts = watch_.use();
    add_cpu_use(record_.json().at("system"), hosts);
    for (const auto& host : hosts) {
      if (!host.shared()) continue;
      workspace_.say_once(fmt::format(
          "host {}: other processes use its cores: times of such runs are not comparable, each "
          "run.json says how much (cpus_of_others)",
          host.host));
    }
  }

  const Learner& learner_;
  const RunTarget& target_;
  const Workspace& workspace_;
  RunRecord record_;
  RunKeeper keeper_;
  const CpuWatch watch_;
  RunParts parts_;
  double predict_s_ = 0.0;
  int64_t predicted_ = 0;  // rows, in predict_s_
};

}  // namespace

std::string execute(const Learner& learner, const RunTarget& target, const Workspace& workspace) {
  const Clock::time_point started = Clock::now();
  RunParts parts = read_parts(learner, workspace);
  return Execution(learner, target, workspace).go(std::move(parts), started);
}

void record_failure(const Learner& learner, const RunTarget& target, const std::string& reason,
                    const Workspace& workspace) {
  Execution(learner, target, workspace).fail(reason);
}

}  // namespace kdbench
