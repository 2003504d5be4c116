// SPDX-License-Identifier: MIT
// config.json of a model's folder.
#include "methods/models/model_config.h"
#include "tests/fuzz/fuzz_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const kdbench::fuzz::FuzzFolder folder({"config.json"});
  return folder.run(data, size, [] { kdbench::read_model_config(folder.path()); });
}
