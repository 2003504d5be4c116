// SPDX-License-Identifier: MIT
// vocab.txt and tokenizer_config.json, then a text with what the loaded tokenizer has.
#include "io/tokenizers/tokenizer.h"
#include "tests/fuzz/fuzz_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const kdbench::fuzz::FuzzFolder folder({"tokenizer_config.json", "text", "vocab.txt"});
  return folder.run(data, size, [] {
    const std::string text = kdbench::testing::read_text(folder / "text");
    const std::string_view second = "b\xC3\xA4 unaffable [SEP]";
    kdbench::read_tokenizer(folder.path())->encode_row(text, &second, 16);
  });
}
