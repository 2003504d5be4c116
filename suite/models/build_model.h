// SPDX-License-Identifier: MIT
// The network of a model, with its first weights.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "methods/models/model.h"
#include "suite/models/initial_model.h"
#include "suite/ranks/workspace.h"

namespace kdbench {

// Builds and initialises a model: random by seed, then the weights that its init asks for.
// Collective (errors are agreed).
std::unique_ptr<Model> build_model(const InitialModel& initial, const Workspace& workspace);

// The same model without values, on the meta device. Local; reads nothing.
std::unique_ptr<Model> outline_model(const InitialModel& initial);

// A model that nobody trains needs a classifier: without one it would only make noise. Throws a
// user error.
void check_whole(const LoadReport& report, const std::filesystem::path& folder);

// A fine-tuned model, used as it is.
struct TrainedModel {
  std::unique_ptr<Model> model;
  const Task* task = nullptr;
  std::string sha256;  // of its weights
};

// From a Hugging Face folder that was checked, or made here. Collective.
TrainedModel load_trained_model(const std::filesystem::path& folder, const Task& task,
                                const Workspace& workspace);

}  // namespace kdbench
