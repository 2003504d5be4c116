// SPDX-License-Identifier: MIT
#include "suite/results/experiment_record.h"

#include <fmt/core.h>

#include <algorithm>

#include "io/base/error.h"
#include "io/base/partial_file.h"
#include "io/base/sha256.h"
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
  PartialFile partial(own);
  partial.write(content.data(), content.size());
  partial.commit();
  std::error_code failed;
  fs::rename(own, file, failed);
  if (failed) throw_machine_error(file.string(), "cannot be put in place: " + failed.message());
}

}  // namespace

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
