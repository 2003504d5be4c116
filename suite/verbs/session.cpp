// SPDX-License-Identifier: MIT
#include "suite/verbs/session.h"

#include <ATen/Parallel.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "io/base/error.h"
#include "io/base/look.h"
#include "suite/machine/device.h"
#include "suite/machine/profiler_ranges.h"
#include "suite/machine/provenance.h"
#include "suite/machine/self_check.h"

namespace kdbench {

namespace {

namespace fs = std::filesystem;

constexpr int kMostThreads = 1024;
constexpr int kMostPatience = 1'000'000;

// Before hours of work. The folder itself need not be there: what it will be made in must be one,
// and take new files.
void check_output_folder(const std::string& out) {
  const std::string flag = "--out " + out, hint = "choose another folder";
  if (out.empty()) throw_user_error("--out", "expected a folder, found nothing");
  std::error_code error;
  fs::path folder = fs::absolute(out);
  while (!fs::exists(folder, error) && !error && folder != folder.root_path()) {
    folder = folder.parent_path();
  }
  if (error) throw_user_error(flag, error.message(), hint);
  if (!is_folder(folder)) throw_user_error(flag, folder.string() + " is no folder", hint);
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw_user_error(flag, folder.string() + " cannot be written: " + std::strerror(errno), hint);
  }
}

// Before the training that it is to show.
void check_trace_file(const std::string& trace) {
  const fs::path file = fs::absolute(trace);
  const std::string flag = "--trace " + trace;
  if (is_folder(file)) throw_user_error(flag, "is a folder", "name a file in it");
  if (!is_folder(file.parent_path()))
    throw_user_error(flag, file.parent_path().string() + " is no folder");
  if (::access(file.parent_path().c_str(), W_OK | X_OK) != 0)
    throw_user_error(flag, "its folder cannot be written: " + std::string(std::strerror(errno)));
}

}  // namespace

void add_device_option(CLI::App& app, std::string& device) {
  app.add_option("--device", device,
                 "cpu, cuda (a GPU for each rank), or auto: cuda where there are as many GPUs")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
}

void add_session_options(CLI::App& app, SessionOptions& options) {
  app.add_option("--out", options.out, "folder of the results")->capture_default_str();
  add_device_option(app, options.device);
  app.add_option("--threads", options.threads, "per rank; 0: this rank's part of the host's cores")
      ->check(CLI::Range(0, kMostThreads))
      ->capture_default_str();
  app.add_flag("--quiet", options.quiet, "nothing on stderr but errors");
  app.add_option("--stop-signals", options.stop_signals,
                 "signals that stop the job so that the same command goes on: exit code 75")
      ->delimiter(',')
      ->expected(1)  // what follows may be the experiment file
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->check(CLI::IsMember(stop_signal_names()))
      ->capture_default_str();
  app.add_option("--patience", options.patience,
                 "seconds that ranks wait for one that does not come, before they end the job; 0: "
                 "for ever")
      ->check(CLI::Range(0, kMostPatience))
      ->capture_default_str();
  app.add_option("--log", options.log, "file that gets, at its end, what stderr gets");
}

void add_trace_option(CLI::App& app, SessionOptions& options) {
  app.add_option("--trace", options.trace,
                 "file that gets a timeline of one step of the first training, of all ranks: for "
                 "ui.perfetto.dev or chrome://tracing");
}

Session::Session(const SessionOptions& options, const VerbContext& context, StartChecks checks) {
  context.control.on_root([&] {
    check_output_folder(options.out);
    if (!options.trace.empty()) check_trace_file(options.trace);
  });
  std::shared_ptr<Log> log;
  context.control.agree([&] {
    const bool root = context.control.root();
    log = std::make_shared<Log>(options.quiet || !root, root ? options.log : "");
  });
  const int threads = threads_per_rank(context.control, options.threads);
  at::set_num_threads(threads);
  std::string why_not;
  const at::Device device = choose_device(context.control, options.device, &why_not);
  if (device.is_cuda()) mark_ranges_for_profilers();
  collectives_ = make_collectives(context.control, device);
  workspace_ = std::make_unique<Workspace>(
      Workspace{context.control, *collectives_, device, threads,
                std::filesystem::absolute(options.out), context.command, std::move(log)});
  stop_signals_ = std::make_unique<StopSignals>(options.stop_signals, context.control);
  const std::string gpus = device.is_cuda() ? ", " + device_text(device) : "";
  if (!options.trace.empty())
    workspace_->trace = std::make_shared<TraceRequest>(TraceRequest{fs::absolute(options.trace)});
  workspace_->say(fmt::format("kdbench: {} rank{} x {} thread{}, {} collectives{}",
                              context.control.size(), context.control.size() == 1 ? "" : "s",
                              threads, threads == 1 ? "" : "s", collectives_->name(), gpus));
  watchdog_ = std::make_unique<Watchdog>(context.control, std::chrono::seconds(options.patience));
  if (!watchdog_->obstacle().empty())
    workspace_->say("kdbench: ranks do not watch each other: " + watchdog_->obstacle());
  if (!why_not.empty())
    workspace_->say("kdbench: warning: computing on the CPU, not on GPUs: " + why_not);
  for (const auto& obstacle : context.control.gather(context.control.host().obstacle())) {
    if (obstacle.empty()) continue;
    workspace_->say(
        "kdbench: ranks of a host cannot share memory, each holds its own copy of the "
        "rows: " +
        obstacle);
    break;
  }
  if (checks == StartChecks::kMake) check_start();
}

void Session::check_start() const {
  const auto found = start_checks(*workspace_);
  for (const auto& finding : found) {
    if (finding.verdict != Verdict::kBroken)
      workspace_->say(fmt::format("kdbench: warning: {}: {}", finding.what, finding.advice));
  }
  workspace_->control.agree([&] {
    for (const auto& finding : found) {
      if (finding.verdict == Verdict::kBroken)
        throw_machine_error("start", finding.what, finding.advice);
    }
  });
}

}  // namespace kdbench
