// SPDX-License-Identifier: MIT
// Where stages that runs share lie on the disk: <out>/.stages/<hash of all inputs>, made once, by
// one job.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "suite/ranks/workspace.h"

namespace kdbench {

// A piece of work that other runs can share: its folder is named by the hash of `inputs` (which
// must hold everything that the result depends on) and of the stage's kind and format version.
struct StageKey {
  std::string kind;  // "features", "teacher", "teacher-outputs", "feature-memory"
  int version = 1;
  nlohmann::json inputs;

  std::string hash() const;  // 16 hex digits
};

// Where a stage lies, and whether it is there with all of its files. Local.
std::filesystem::path stage_folder(const std::filesystem::path& out, const StageKey& key);
bool stage_is_there(const std::filesystem::path& out, const StageKey& key);

// <out>/.stages/<hash>. Makes it if it is not there: `make` gets a new folder, which is put in
// place when `make` returns true on all ranks; when it returns false nothing is kept, and the
// result is nullopt. Jobs that need the same stage wait for the first one; what a dead one left is
// removed and made again. Collective; `make` may use collectives, and returns the same on all
// ranks. `what`: its name for people; `busy`: as of StageLock, whoever gets it gets nullopt too.
std::optional<std::filesystem::path> ensure_stage(
    const Workspace& workspace, const StageKey& key, const std::string& what,
    const std::function<bool(const std::filesystem::path&)>& make, std::string* busy = nullptr);

// Removes the stage, if it is there, once no other job is at work on it. Collective.
void discard_stage(const Workspace& workspace, const StageKey& key, const std::string& what);

// A key that is found by reading files. Collective, as from_root.
StageKey key_from_root(const Control& control, const std::function<StageKey()>& f);

// Throws a user error when a file of a finished stage is not what was written: which, and that the
// folder must be deleted to be made again. Reads all of it. Local.
void check_stage(const std::filesystem::path& folder);

// Runs `read` on what a finished stage left in `folder`. Its user errors (a damaged file, or one
// that is gone) say that this folder must be deleted to be made again. Local.
void read_stage(const std::filesystem::path& folder, const std::function<void()>& read);

}  // namespace kdbench
