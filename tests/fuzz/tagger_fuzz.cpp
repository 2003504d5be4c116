// SPDX-License-Identifier: MIT
// A tagger's three files, then a text cut into words and tagged by what was loaded.
#include "io/words/penn_words.h"
#include "io/words/tagger.h"
#include "tests/fuzz/fuzz_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const kdbench::fuzz::FuzzFolder folder(
      {"t.classes.json", "t.tagdict.json", "text", "t.weights.json"});
  return folder.run(data, size, [] {
    const auto words = kdbench::penn_words(kdbench::testing::read_text(folder / "text"));
    kdbench::tagged(kdbench::read_tagger(folder.path()), words);
  });
}
