// SPDX-License-Identifier: MIT
// The whole resolved experiment, once beside its runs: a run.json holds only what concerns its run
// (run_config), which keeps the runs of a large grid small.
#pragma once

#include <filesystem>
#include <string>

#include "suite/config/experiment.h"

namespace kdbench {

// Returns the hash of the resolved experiment, run.json's config_hash, after writing
// <out>/<name>/experiments/<hash>.json unless it is there: other --set make another file. Several
// jobs may write it at the same time. Local; throws machine errors.
std::string record_experiment(const Experiment& experiment, const std::filesystem::path& out);

// The experiment file of a run's folder, or of such a record (<hash>.json): loaded again, it
// resolves to what is recorded. Its first lines say where it comes from, and how that run alone is
// made. Local; throws user errors.
std::string recorded_experiment(const std::filesystem::path& path);

}  // namespace kdbench
