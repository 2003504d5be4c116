// SPDX-License-Identifier: MIT
// tokenizer.json alone, of either kind, and tokenizer_config.json, then a text with what the loaded
// tokenizer has.
#include "io/tokenizers/tokenizer.h"
#include "tests/fuzz/fuzz_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const kdbench::fuzz::FuzzFolder folder(
      {"tokenizer_config.json", "text", "tokenizer.json"});
  return folder.run(data, size, [] {
    const std::string text = kdbench::testing::read_text(folder / "text");
    kdbench::read_tokenizer(folder.path())->encode(text);
  });
}
