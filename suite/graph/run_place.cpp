// SPDX-License-Identifier: MIT
#include "suite/graph/run_place.h"

#include <fmt/core.h>

#include <cctype>

#include "io/base/partial_file.h"
#include "suite/results/run_record.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

std::string lock_name(const std::string& experiment, const std::string& run_id) {
  return experiment + "-" + run_id;
}

std::string failure_text(const nlohmann::json& record) {
  std::string text = record.value("reason", "");
  const auto steps = record.find("steps");
  if (steps != record.end()) text += fmt::format(" (after {} steps)", steps->dump());
  return text;
}

}  // namespace

std::string folder_text(const std::string& label) {
  std::string text;
  for (const char c : label) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '+' || c == '-';
    if (c == ']') continue;
    text += plain ? c : c == '[' || c == ',' ? '+' : '-';
  }
  return text;
}

bool run_is_done(const Workspace& workspace, const std::string& experiment,
                 const std::string& run_id, fs::path* folder) {
  const nlohmann::json found = from_root(workspace.control, [&] {
    look_anew(workspace.out / experiment);
    bool done = false;
    const auto place = free_run_folder(workspace.out / experiment / run_id, &done);
    return nlohmann::json{place.filename().string(), done};
  });
  *folder = workspace.out / experiment / found[0].get<std::string>();
  return found[1].get<bool>();
}

RunPlace::RunPlace(const Workspace& workspace, const std::string& experiment,
                   const std::string& run_id, const std::string& what, std::string* busy) {
  const auto look = [&] { done_ = run_is_done(workspace, experiment, run_id, &folder_); };
  look();
  if (done_) return;
  lock_.emplace(workspace, lock_name(experiment, run_id), what, busy);
  look();  // another job may have finished it meanwhile
}

void discard_run(const Workspace& workspace, const std::string& experiment,
                 const std::string& run_id, const std::string& what) {
  const StageLock lock(workspace, lock_name(experiment, run_id), what);
  fs::path folder;
  if (!run_is_done(workspace, experiment, run_id, &folder)) return;
  workspace.control.on_root([&] { remove_finished(folder); });
}

StageState look_at_run(const fs::path& out, const std::string& experiment,
                       const std::string& run_id) {
  bool done = false;
  nlohmann::json last;
  free_run_folder(out / experiment / run_id, &done, &last);
  if (done) return {StageState::Kind::kDone, "", "", ""};
  if (const auto holder = lock_holder(out, lock_name(experiment, run_id))) {
    return {StageState::Kind::kRunning, holder->who, holder->since, ""};
  }
  if (last.is_null()) return {};
  return {StageState::Kind::kFailed, "", last.value("ended", ""), failure_text(last)};
}

}  // namespace kdbench
