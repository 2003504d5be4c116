// SPDX-License-Identifier: MIT
#include "suite/graph/stage.h"

#include <algorithm>

#include "io/base/error.h"
#include "suite/graph/stage_lock.h"

namespace kdbench {

void Stage::add_need(Stage& stage) {
  if (std::find(needs_.begin(), needs_.end(), &stage) == needs_.end()) needs_.push_back(&stage);
}

bool SharedStage::done(const Workspace& workspace) {
  return from_root(workspace.control, [&] { return stage_is_there(workspace.out, key_); })
      .get<bool>();
}

StageState SharedStage::look(const Workspace& workspace) {
  if (stage_is_there(workspace.out, key_)) return {StageState::Kind::kDone, "", "", ""};
  if (const auto holder = lock_holder(workspace.out, hash_)) {
    return {StageState::Kind::kRunning, holder->who, holder->since, ""};
  }
  return {};
}

const std::filesystem::path& SharedStage::contents(const Workspace& workspace) {
  if (checked_.empty()) {
    const std::filesystem::path found = folder(workspace);
    workspace.control.on_root([&] { check_stage(found); });
    checked_ = found;
  }
  return checked_;
}

Outcome SharedStage::make(const Workspace& workspace, IfBusy if_busy) {
  bool mine = false;
  std::string busy;
  const auto made = ensure_stage(
      workspace, key_, kind() + " " + title(),
      [&](const std::filesystem::path& partial) {
        mine = true;
        try {
          return make_in(partial, workspace);
        } catch (const Error& error) {  // what came of diverged weights: fails those who need it
          if (error.code() != ExitCode::kRunFailed || !error.on_every_rank) throw;
          failure_ = error.what();
          workspace.say(title() + ": failed: " + failure_);
          return false;
        }
      },
      if_busy == IfBusy::kLeave ? &busy : nullptr);
  if (!busy.empty() && !made) return {Outcome::Kind::kBusy, {}, busy};
  if (!made) return {Outcome::Kind::kFailed, {}, failure_};
  return {mine ? Outcome::Kind::kMade : Outcome::Kind::kReused, {}, ""};
}

void SharedStage::discard(const Workspace& workspace) {
  checked_.clear();
  discard_stage(workspace, key_, kind() + " " + title());
}

Outcome SharedStage::skip(const std::string& why, const Workspace& workspace) {
  workspace.say(title() + ": not made: " + why);
  return {Outcome::Kind::kFailed, {}, why};
}

std::string need_failed(const Stage& need, const std::string& why) {
  return "its " + need.kind() + " failed" + (why.empty() ? "" : ": " + why);
}

}  // namespace kdbench
