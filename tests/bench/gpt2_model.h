// SPDX-License-Identifier: MIT
// GPT-2s of random weights for the benchmarks of language models.
#pragma once

#include <cstdint>
#include <memory>

#include "methods/models/language_model.h"

namespace kdbench {

struct Gpt2Sizes {
  int64_t vocabulary, layers, hidden, heads;
};

std::unique_ptr<LanguageModel> make_gpt2(const Gpt2Sizes& sizes, at::Device device);

}  // namespace kdbench
