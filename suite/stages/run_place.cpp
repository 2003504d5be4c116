// SPDX-License-Identifier: MIT
#include "suite/stages/run_place.h"

#include "suite/results/run_record.h"

namespace kdbench {

RunPlace::RunPlace(const Workspace& workspace, const std::string& experiment,
                   const std::string& run_id) {
  const auto look = [&] {
    const nlohmann::json found = from_root(workspace.control, [&] {
      look_anew(workspace.out / experiment);
      bool done = false;
      const auto folder = free_run_folder(workspace.out / experiment / run_id, &done);
      return nlohmann::json{folder.string(), done};
    });
    folder_ = found[0].get<std::string>();
    done_ = found[1].get<bool>();
  };
  look();
  if (done_) return;
  lock_.emplace(workspace, experiment + "-" + run_id);
  look();  // another job may have finished it meanwhile
}

}  // namespace kdbench
