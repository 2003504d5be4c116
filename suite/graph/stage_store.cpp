// SPDX-License-Identifier: MIT
#include "suite/graph/stage_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>

#include "io/base/error.h"
#include "io/base/file_list.h"
#include "io/base/partial_file.h"
#include "io/base/sha256.h"
#include "suite/graph/stage_lock.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDescription = "stage.json";

void write_description(const StageKey& key, const fs::path& folder) {
  const nlohmann::json description{{"kind", key.kind},
                                   {"version", key.version},
                                   {"inputs", key.inputs},
                                   {"files", list_files(folder, kDescription)}};
  std::ofstream file(folder / kDescription);
  file << description.dump(2) << "\n";
  if (!file.flush())
    throw_machine_error(folder.string(), "cannot write stage.json", "is the disk full?");
}

// Null where it cannot be read.
nlohmann::json read_files(const fs::path& folder) {
  std::ifstream file(folder / kDescription);
  const auto description = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!description.is_object()) return nullptr;
  return description.value("files", nlohmann::json::object());
}

// A name of its own for each attempt, for file systems without locks. No colon: MPI-IO takes what
// stands before one for the kind of file system.
std::string attempt_name() {
  std::string name = fmt::format(".{}", this_process());
  std::replace(name.begin(), name.end(), ':', '-');
  return name;
}

bool is_complete(const fs::path& folder) {
  const nlohmann::json files = read_files(folder);
  return !files.is_null() && files_are_there(folder, files);
}

bool is_finished(const Control& control, const fs::path& folder) {
  return from_root(control,
                   [&] {
                     look_anew(folder.parent_path());
                     return is_complete(folder);
                   })
      .get<bool>();
}

// What attempts that died have left of this stage.
void remove_leftovers(const fs::path& folder) {
  const std::string begin = folder.filename().string() + ".";
  std::vector<fs::path> dead;
  for (const auto& entry : fs::directory_iterator(folder.parent_path())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(begin) && name.ends_with(".partial")) dead.push_back(entry.path());
  }
  if (fs::exists(folder)) dead.push_back(folder);  // a part of it is gone
  for (const auto& path : dead) fs::remove_all(path);
}

void put_in_place(const fs::path& partial, const fs::path& folder) {
  std::error_code error;
  fs::rename(partial, folder, error);
  if (!error) return;
  if (!is_complete(folder))
    throw_machine_error(folder.string(), "cannot be put in place: " + error.message());
  fs::remove_all(partial);  // without locks another job was first
}

}  // namespace

std::string StageKey::hash() const {
  return json_hash({{"kind", kind}, {"version", version}, {"inputs", inputs}});
}

fs::path stage_folder(const fs::path& out, const StageKey& key) {
  return out / ".stages" / key.hash();
}

bool stage_is_there(const fs::path& out, const StageKey& key) {
  return is_complete(stage_folder(out, key));
}

std::optional<fs::path> ensure_stage(const Workspace& workspace, const StageKey& key,
                                     const std::string& what,
                                     const std::function<bool(const fs::path&)>& make,
                                     std::string* busy) {
  const Control& control = workspace.control;
  const fs::path folder = stage_folder(workspace.out, key);
  if (is_finished(control, folder)) return folder;
  const StageLock lock(workspace, key.hash(), what, busy);
  if (is_finished(control, folder)) return folder;  // another job made it meanwhile
  if (busy && !busy->empty()) return std::nullopt;
  const fs::path partial = folder.string() + control.broadcast(attempt_name()) + ".partial";
  control.on_root([&] {
    if (lock.held()) remove_leftovers(folder);
    std::error_code error;
    fs::create_directories(partial, error);
    if (error)
      throw_machine_error(partial.string(), "cannot be created: " + error.message(),
                          "choose another --out");
  });
  bool keep = false;
  try {
    keep = make(partial);
    control.on_root([&] {
      if (!keep) {
        fs::remove_all(partial);
        return;
      }
      write_description(key, partial);
      put_in_place(partial, folder);
    });
  } catch (const Error& error) {
    // Other errors end the job: ranks may still be at work in the folder.
    std::error_code ignored;
    if (error.on_every_rank && control.root()) fs::remove_all(partial, ignored);
    throw;
  }
  return keep ? std::optional(folder) : std::nullopt;
}

void discard_stage(const Workspace& workspace, const StageKey& key, const std::string& what) {
  const StageLock lock(workspace, key.hash(), what);
  workspace.control.on_root([&] { remove_finished(stage_folder(workspace.out, key)); });
}

StageKey key_from_root(const Control& control, const std::function<StageKey()>& f) {
  const nlohmann::json key = from_root(control, [&] {
    const StageKey found = f();
    return nlohmann::json{found.kind, found.version, found.inputs};
  });
  return {key[0].get<std::string>(), key[1].get<int>(), key[2]};
}

void check_stage(const fs::path& folder) {
  read_stage(folder, [&] { check_files(folder, read_files(folder)); });
}

void read_stage(const fs::path& folder, const std::function<void()>& read) {
  try {
    read();
  } catch (const Error& error) {
    if (error.code() != ExitCode::kUserInput) throw;
    throw_user_error(error.where(), error.message(),
                     "delete " + folder.string() + ": the next run makes it again");
  }
}

}  // namespace kdbench
