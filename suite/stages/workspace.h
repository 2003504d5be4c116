// SPDX-License-Identifier: MIT
// Where and with whom an experiment runs: the ranks, the device, the output folder. Passed to every
// stage.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "suite/ranks/collectives.h"
#include "suite/ranks/control.h"

namespace kdbench {

struct Workspace {
  const Control& control;
  Collectives& collectives;
  at::Device device = at::kCPU;
  int threads = 1;            // per rank
  std::filesystem::path out;  // runs in <out>/<experiment>/, shared stages in <out>/.stages/
  std::string command;        // for run.json
  bool quiet = false;         // say() says nothing

  // One line about what happens, from the root rank to stderr.
  void say(const std::string& line) const;
};

// A piece of work that other runs can share: its folder is named by the hash of `inputs` (which
// must hold everything that the result depends on) and of the stage's kind and format version.
struct StageKey {
  std::string kind;  // "features", "teacher", "teacher-outputs", "memory"
  int version = 1;
  nlohmann::json inputs;

  std::string hash() const;  // 16 hex digits
};

// Where a stage lies, and whether it is there and complete. Local.
std::filesystem::path stage_folder(const std::filesystem::path& out, const StageKey& key);
bool stage_is_there(const std::filesystem::path& out, const StageKey& key);

// <out>/.stages/<hash>. Makes it if it is not there: `make` gets a new folder, which is put in
// place when `make` returns true on all ranks; when it returns false nothing is kept, and the
// result is nullopt. Jobs that need the same stage wait for the first one; what a dead one left is
// removed and made again. Collective; `make` may use collectives, and returns the same on all
// ranks.
std::optional<std::filesystem::path> ensure_stage(
    const Workspace& workspace, const StageKey& key,
    const std::function<bool(const std::filesystem::path&)>& make);

// What `f` returns on the root, on every rank: for what is read from files, so that it is read once
// and all ranks go the same way. Collective; errors are agreed on.
nlohmann::json from_root(const Control& control, const std::function<nlohmann::json()>& f);

// A key that is found by reading files. Collective, as from_root.
StageKey key_from_root(const Control& control, const std::function<StageKey()>& f);

// "host:pid"
std::string this_process();

// Runs `read` on what a finished stage left in `folder`. Its user errors (a damaged file, or one
// that is gone) say that this folder must be deleted to be made again. Local.
void read_stage(const std::filesystem::path& folder, const std::function<void()>& read);

// First `digits` of the SHA-256 of a JSON value (keys sorted).
std::string json_hash(const nlohmann::json& value, size_t digits = 16);

}  // namespace kdbench
