// SPDX-License-Identifier: MIT
// The experiment file.
#include "tests/fuzz/fuzz_folder.h"
#include "tests/suite/config/experiment_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const kdbench::testing::ExperimentFolder models;
  static const kdbench::fuzz::FuzzFolder folder({"experiment.toml"});
  return folder.run(data, size, [] { kdbench::load_experiment(folder / "experiment.toml", {}); });
}
