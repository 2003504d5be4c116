// SPDX-License-Identifier: MIT
// Rows as a language model learns from them: each id but the first is to be said, given those
// before it.
#pragma once

#include <memory>

#include "io/batches/dataset.h"

namespace kdbench {

// Labels of the store are left aside. `conditioned`: only what comes behind the first segment (the
// first text of a pair, with its separator) is to be said; batches then hold field::kFirstTarget.
std::unique_ptr<Dataset> make_text_dataset(std::shared_ptr<const FeatureSplit> texts,
                                           bool conditioned = false);

}  // namespace kdbench
