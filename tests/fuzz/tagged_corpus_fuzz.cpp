// SPDX-License-Identifier: MIT
// A tagged corpus in any of its formats, and a tagger trained from it.
#include "io/words/tagged_corpus.h"
#include "io/words/tagger_training.h"
#include "tests/fuzz/fuzz_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const kdbench::fuzz::FuzzFolder folder({"corpus"});
  return folder.run(data, size, [] {
    kdbench::train_tagger(kdbench::read_tagged_corpus(folder / "corpus"), {.epochs = 1});
  });
}
