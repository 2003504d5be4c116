// SPDX-License-Identifier: MIT
#include "suite/stages/runs/run_keeper.h"

#include <fmt/format.h>

#include "io/base/error.h"
#include "io/base/sha256.h"
#include "suite/machine/stopwatch.h"
#include "suite/ranks/stop_signals.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

using Clock = std::chrono::steady_clock;

constexpr double kMinute = 60.0;
// What is left after the last step (scores, predictions) may take long too: a training of at least
// so many seconds is kept then.
constexpr double kWorthKeeping = 60.0;
constexpr double kMega = 1e6;
constexpr size_t kAllDigits = 64;

constexpr const char* kContinued = "continued";

}  // namespace

RunKeeper::RunKeeper(const fs::path& folder, const json& inputs, const TrainSettings& settings,
                     const Workspace& workspace, RunRecord& record)
    : checkpoints_(folder, json_hash(inputs, kAllDigits), workspace.control),
      settings_(settings),
      workspace_(workspace),
      record_(record),
      threads_(workspace.control.sum(static_cast<double>(workspace.threads))) {}

void RunKeeper::take_over(const std::string& title) {
  title_ = title;
  bool warned = false;
  const auto kept = checkpoints_.read([&](const std::string& reason) {
    warned = true;
    workspace_.say(fmt::format("{}: warning: {}", title_, reason));
  });
  if (!kept) {
    if (warned) workspace_.say(title_ + ": warning: no good checkpoint: it begins anew");
    return;
  }
  const json& run = kept->run;
  run.at("init_s").get_to(before_.init_s);
  run.at("core_s").get_to(before_.core_s);
  run.at("train_s").get_to(before_.train_s);
  json& record = record_.json();
  json continued = run.at(kContinued);
  continued.push_back({{"step", kept->state.result.steps},
                       {"at", record.at("started")},
                       {"ranks", workspace_.control.size()}});
  record[kContinued] = continued;
  record["started"] = run.at("started");
  workspace_.control.on_root([&] { record_.go_on(kept->events); });
  kept_ = std::make_shared<const TrainingState>(kept->state);
  workspace_.say(fmt::format("{}: goes on after step {}", title_, kept_->result.steps));
}

Keeping RunKeeper::keeping(double init_s) {
  init_s_ = init_s;
  last_ = Clock::now();
  Keeping keeping;
  keeping.begin = std::move(kept_);
  keeping.stop = StopSignals::asked;
  keeping.due = [this](int64_t done, int64_t all) { return due(done, all); };
  keeping.keep = [this](const TrainingState& state, bool stops) { keep(state, stops); };
  return keeping;
}

double RunKeeper::core_s(double train_s) const {
  return before_.core_s + (train_s - before_.train_s) * threads_;
}

bool RunKeeper::due(int64_t done, int64_t all) const {
  if (settings_.checkpoint_steps > 0 && done % settings_.checkpoint_steps == 0) return true;
  if (settings_.checkpoint_minutes <= 0.0) return false;
  const double waited = seconds_since(last_);
  return waited >= settings_.checkpoint_minutes * kMinute ||
         (done == all && waited >= kWorthKeeping);
}

void RunKeeper::keep(const TrainingState& state, bool stops) {
  const auto start = Clock::now();
  int64_t bytes = 0;
  try {
    bytes = write(state);
  } catch (const Error& error) {
    if (stops) StopSignals::answer();  // this error ends the job, not the signal
    if (stops || !error.on_every_rank) throw;
    workspace_.say(fmt::format("{}: warning: not kept: {}", title_, error.what()));
  }
  last_ = Clock::now();
  if (stops) StopSignals::answer();
  if (bytes == 0) return;
  workspace_.say(fmt::format("{}: checkpoint after step {} ({:.1f} MB, {:.2f} s)", title_,
                             state.result.steps, static_cast<double>(bytes) / kMega,
                             seconds_since(start)));
}

int64_t RunKeeper::write(const TrainingState& state) {
  KeptTraining kept;
  kept.state = state;
  const json& record = record_.json();
  kept.run = {{"started", record.at("started")},
              {"init_s", init_s()},
              {"train_s", state.result.times.train},
              {"core_s", core_s(state.result.times.train)},
              {kContinued, record.value(kContinued, json::array())}};
  workspace_.control.on_root([&] { kept.events = record_.events(); });
  return checkpoints_.write(kept);
}

fs::path checkpoint_folder(const fs::path& run) { return run.string() + ".checkpoint"; }

void remove_checkpoints(const fs::path& folder, const Workspace& workspace) {
  workspace.control.on_root([&] {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  });
}

}  // namespace kdbench
