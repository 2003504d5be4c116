// SPDX-License-Identifier: MIT
// BERT (Devlin et al. 2019) and RoBERTa (Liu et al. 2019): one post-norm transformer encoder with a
// classification head on the first token. Everything runs on the (T tokens, H) matrix of the batch;
// only attention sees rows.
#pragma once

#include <memory>

#include "methods/models/model.h"

namespace kdbench {

// Take the field kTokens, BERT kFirstSegment too. Throw a user error when the sizes do not fit
// together.

// Head: pooler.dense, tanh (Outputs::pooled), dropout, classifier.
std::unique_ptr<Model> make_bert(const ModelSpec& spec);
// Head: dropout, classifier.dense, tanh (Outputs::pooled), dropout, classifier.out_proj. All token
// types are 0.
std::unique_ptr<Model> make_roberta(const ModelSpec& spec);

}  // namespace kdbench
