// SPDX-License-Identifier: MIT
// The files in which a training that is under way is kept, so that another job can go on with it:
// <folder>/<steps>.safetensors, the last two. Written by the root rank, read by all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "suite/ranks/control.h"
#include "suite/training/training_state.h"

namespace kdbench {

// A training, and what the run around it goes on with.
struct KeptTraining {
  TrainingState state;
  nlohmann::json run;  // of its record
  std::string events;  // events.jsonl so far
};

class Checkpoints {
 public:
  // `identity`: of all that the result depends on; a training of another one is never gone on with.
  Checkpoints(std::filesystem::path folder, std::string identity, const Control& control)
      : folder_(std::move(folder)), identity_(std::move(identity)), control_(control) {}

  // Writes a file (temporary name, flushed, renamed) with a checksum over all of it, and removes
  // all but it and the one before. Returns its bytes. Collective: throws machine errors on every
  // rank.
  int64_t write(const KeptTraining& kept) const;
  // The newest that is whole and of this identity; none where there is no such file. `warn` hears,
  // on the root, why others were not taken. Collective.
  std::optional<KeptTraining> read(const std::function<void(const std::string&)>& warn) const;

 private:
  std::filesystem::path folder_;
  std::string identity_;
  const Control& control_;
};

}  // namespace kdbench
