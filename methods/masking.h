// SPDX-License-Identifier: MIT
// Which ids of a row a masked language model is to tell, and what it sees in their places (Devlin
// et al. 2019, 3.1 and A.1): of the targets 80 % are masks, 10 % stay, 10 % are any id.
#pragma once

#include <cstdint>

#include "io/batches/batch.h"
#include "io/tokenizers/tokenizer.h"
#include "methods/ops/rng.h"

namespace kdbench {

class Masking {
 public:
  // Of a vocabulary of so many ids.
  Masking(MaskMarks marks, int64_t vocabulary);

  // `batch` as the model sees it, with field::kTargets. Of each row exactly masked_count
  // (io/batches/text_dataset.h) of its ids but special ones are targets. What is drawn depends on
  // the key, the row's id and the place of the token alone.
  Batch operator()(Batch batch, const RandomKey& key) const;

 private:
  void mask_row(int64_t length, uint32_t row_id, const RandomKey& key, int64_t* ids,
                int64_t* targets) const;

  MaskMarks marks_;
  int64_t vocabulary_;
};

// Of all that the tokenizer gives. Throws a user error where its vocabulary has no mask.
inline Masking masking_of(const Tokenizer& tokenizer) {
  return {tokenizer.mask_marks(), tokenizer.vocabulary_size()};
}

}  // namespace kdbench
