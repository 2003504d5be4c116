// SPDX-License-Identifier: MIT
// Rows as language models learn from them, which say ids of a text. Labels of the store are left
// aside.
#pragma once

#include <memory>

#include "io/batches/dataset.h"
#include "io/tokenizers/tokenizer.h"

namespace kdbench {

// Each id but the first is to be said, given those before it. `conditioned`: only what comes behind
// the first segment (the first text of a pair, with its separator); batches then hold
// field::kFirstTarget.
std::unique_ptr<Dataset> make_text_dataset(std::shared_ptr<const FeatureSplit> texts,
                                           bool conditioned = false);

// Some ids are to be said, given all others (Devlin et al. 2019, 3.1): which ones is drawn in each
// step; how many is known.
std::unique_ptr<Dataset> make_masked_dataset(std::shared_ptr<const FeatureSplit> texts,
                                             const MaskMarks& marks);

// Of a row's ids that may be masked: BERT's.
inline constexpr double kMaskedShare = 0.15;
// How many of `maskable` ids are masked: the nearest whole number, but one at least where there are
// any.
int64_t masked_count(int64_t maskable);

}  // namespace kdbench
