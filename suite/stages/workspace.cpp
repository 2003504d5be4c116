// SPDX-License-Identifier: MIT
#include "suite/stages/workspace.h"

#include <fmt/core.h>
#include <unistd.h>

#include <fstream>

#include "io/error.h"
#include "io/sha256.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

void write_description(const StageKey& key, const fs::path& folder) {
  std::ofstream file(folder / "stage.json");
  file << nlohmann::json{{"kind", key.kind}, {"version", key.version}, {"inputs", key.inputs}}.dump(
              2)
       << "\n";
  if (!file.flush())
    throw_machine_error(folder.string(), "cannot write stage.json", "is the disk full?");
}

std::string unique_name() {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  return fmt::format(".{}-{}", host, getpid());
}

void put_in_place(const fs::path& partial, const fs::path& folder) {
  std::error_code error;
  fs::rename(partial, folder, error);
  if (!error) return;
  if (!fs::exists(folder / "stage.json"))
    throw_machine_error(folder.string(), "cannot be put in place: " + error.message());
  fs::remove_all(partial);  // another job was first
}

}  // namespace

void Workspace::say(const std::string& line) const {
  if (control.root()) fmt::print(stderr, "{}\n", line);
}

std::string json_hash(const nlohmann::json& value, size_t digits) {
  // Paths may hold bytes that are no UTF-8.
  return sha256(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))
      .substr(0, digits);
}

std::string StageKey::hash() const {
  return json_hash({{"kind", kind}, {"version", version}, {"inputs", inputs}});
}

fs::path ensure_stage(const Workspace& workspace, const StageKey& key,
                      const std::function<void(const fs::path&)>& make) {
  const Control& control = workspace.control;
  const fs::path folder = workspace.out / ".stages" / key.hash();
  // A name of its own for each attempt: another job may be making the same stage.
  const fs::path partial = folder.string() + control.broadcast(unique_name()) + ".partial";
  bool ready = false;
  control.on_root([&] { ready = fs::exists(folder / "stage.json"); });
  if (control.any(ready)) return folder;
  control.on_root([&] {
    std::error_code error;
    fs::create_directories(partial, error);
    if (error)
      throw_machine_error(partial.string(), "cannot be created: " + error.message(),
                          "choose another --out");
  });
  try {
    make(partial);
    control.on_root([&] {
      write_description(key, partial);
      put_in_place(partial, folder);
    });
  } catch (const Error& error) {
    // Other errors end the job: ranks may still be at work in the folder.
    std::error_code ignored;
    if (error.on_every_rank && control.root()) fs::remove_all(partial, ignored);
    throw;
  }
  return folder;
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
