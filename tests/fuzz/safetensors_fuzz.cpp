// SPDX-License-Identifier: MIT
// Weights and teachers' outputs of other programs.
#include "io/weights/safetensors.h"
#include "tests/fuzz/fuzz_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const kdbench::fuzz::FuzzFolder folder({"model.safetensors"});
  return folder.run(data, size, [] { kdbench::read_safetensors(folder / "model.safetensors"); });
}
