// SPDX-License-Identifier: MIT
// A bidirectional LSTM layer over word vectors with a classification head: the student of Tang et
// al. 2019 (arXiv 1903.12136; d-bert) and of ProKT (Shi et al. 2021, arXiv 2107.09305). Of a pair
// both texts go through the same layer, and the head reads [u; v; |u - v|; u * v].
//
// pooling    what is kept of a text       before the classifier    dropout stands
// final      the end state of each        a layer of `fc` with     behind that layer
//            direction (d-bert)           ReLU
// max        the largest of each channel  the layer, of pairs      on the word vectors
//            over its tokens (ProKT)      alone, without ReLU
#pragma once

#include <memory>

#include "methods/models/model.h"

namespace kdbench {

// How its words' vectors begin and learn (ModelConfig::vector_mode), and its key.
inline constexpr const char* kVectorMode = "vector_mode";
namespace vector_mode {
inline constexpr const char* kRandom = "random";    // at random, and learn
inline constexpr const char* kStatic = "static";    // from a file, and stay
inline constexpr const char* kTrained = "trained";  // from a file, and learn
inline constexpr const char* kBoth = "both";        // one copy that learns beside one that stays
}  // namespace vector_mode

// Those that are drawn at random lie in (-kRandomVectorBound, kRandomVectorBound) (d-bert).
inline constexpr double kRandomVectorBound = 0.25;

// The tables of word vectors: the one that learns, and the one that stays.
inline constexpr const char* kTrainedVectors = "embedding.weight";
inline constexpr const char* kStaticVectors = "embedding_static.weight";

void declare_bilstm(const ModelSpec& spec, ParameterLayout& layout);
// Takes the field kTokens, of pairs kFirstSegment too. `parameters` as declared above.
std::unique_ptr<Model> make_bilstm(const ModelConfig& config, Parameters parameters);

// Width of what the layer reads, and of what the head reads.
int64_t bilstm_input(const ModelConfig& config);
int64_t bilstm_features(const ModelConfig& config);

}  // namespace kdbench
