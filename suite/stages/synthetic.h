// SPDX-License-Identifier: MIT
// Stage "synthetic": the embedded corpora on disk, where data.root = "synthetic" asks for them.
// After it everything goes on as with a GLUE folder.
#pragma once

#include <filesystem>

#include "suite/config/experiment.h"
#include "suite/ranks/workspace.h"

namespace kdbench {

// The folder with the corpora and their vocabulary, made if it is not there yet. Collective.
std::filesystem::path ensure_synthetic_data(const Workspace& workspace);

// `experiment` itself, or where its data are synthetic a copy that reads them from the stage;
// models that name no tokenizer take the generated one. Collective.
Experiment with_data_in_place(Experiment experiment, const Workspace& workspace);

}  // namespace kdbench
