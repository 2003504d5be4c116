// SPDX-License-Identifier: MIT
#include "suite/results/experiment_record.h"

#include <fmt/core.h>

#include <algorithm>

#include "io/base/error.h"
#include "io/base/json_file.h"
#include "io/base/look.h"
#include "io/base/partial_file.h"
#include "io/base/sha256.h"
#include "reports/run_fields.h"
#include "reports/run_files.h"
#include "suite/config/experiment_toml.h"
#include "suite/ranks/workspace.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// Runs of one experiment may begin in several jobs at once, so each writes under a name of its own;
// whichever comes last puts the same content in place.
void write_once(const fs::path& file, const std::string& content) {
  std::string own = fmt::format("{}.{}", file.string(), this_process());
  std::replace(own.begin() + static_cast<std::ptrdiff_t>(file.string().size()), own.end(), ':',
               '-');
  write_file(own, content);
  std::error_code failed;
  fs::rename(own, file, failed);
  if (failed) throw_machine_error(file.string(), "cannot be put in place: " + failed.message());
}

// What stands in a record, if that is what was written.
nlohmann::json read_record(const fs::path& file) {
  if (!is_file(file)) {
    throw_user_error(file.string(), "no such record of an experiment",
                     "a run's folder below <out>/<experiment>, or a file of its experiments/");
  }
  nlohmann::json whole = read_json_object(file);
  if (json_hash(whole) != file.stem().string())
    throw_user_error(file.string(), "is not what was written");
  return whole;
}

// The command that makes this run alone.
std::string command_of(const nlohmann::json& run) {
  const bool teacher = run.at("role") == "teacher";
  std::string command = fmt::format("kdbench {} FILE --tasks {}", teacher ? "finetune" : "distill",
                                    run.at("task").get<std::string>());
  if (run.at("role") == "student")
    command += fmt::format(" --method '{}'", run.at("label").get<std::string>());
  return command + fmt::format(" --seeds {}", run.at("seed").get<int64_t>());
}

}  // namespace

std::string recorded_experiment(const fs::path& path) {
  std::string hash = path.stem().string(), origin;
  fs::path file = path;
  if (is_folder(path)) {
    const nlohmann::json run =
        is_there(path / kRunJson) ? read_runs({path}).front() : nlohmann::json::object();
    hash = text_of(run, "config_hash");
    if (hash.empty()) throw_user_error(path.string(), "is not the folder of an experiment's run");
    const fs::path folder = fs::absolute(path / kRunJson).lexically_normal().parent_path();
    file = folder.parent_path() / "experiments" / (hash + ".json");
    origin = fmt::format("# The experiment of run {}. That run alone:\n#   {}\n",
                         text_of(run, "run_id"), command_of(run));
  }
  const nlohmann::json whole = read_record(file);
  return fmt::format("{}# Resolved, with all paths; config_hash {}\n{}", origin, hash,
                     experiment_toml(whole));
}

std::string record_experiment(const Experiment& experiment, const fs::path& out) {
  const nlohmann::json whole = experiment.to_json();
  std::string hash = json_hash(whole);
  const fs::path file = out / experiment.name / "experiments" / (hash + ".json");
  if (!fs::exists(file)) {
    make_folder_of(file);
    // Paths may hold bytes that are no UTF-8.
    write_once(file, whole.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  }
  return hash;
}

}  // namespace kdbench
