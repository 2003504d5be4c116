// SPDX-License-Identifier: MIT
// BERT (Devlin et al. 2019): a post-norm transformer encoder with a pooler and a classifier on
// [CLS]. Everything runs on the (T tokens, H) matrix of the batch; only attention sees rows.
#pragma once

#include <memory>

#include "methods/model.h"

namespace kdbench {

// Takes the fields kTokens and kFirstSegment. Throws a user error when the sizes do not fit
// together.
std::unique_ptr<Model> make_bert(const ModelSpec& spec);

}  // namespace kdbench
