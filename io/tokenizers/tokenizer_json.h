// SPDX-License-Identifier: MIT
// tokenizer.json, which the library "tokenizers" writes: vocabulary, merges and how a text is cut,
// of the two kinds of tokenizers that are known here. Beside vocab.txt or vocab.json it must say
// the same; alone it stands for them.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "io/tokenizers/byte_bpe.h"

namespace kdbench {

struct TokenizerJson {
  bool byte_bpe = false;                           // else WordPiece
  std::vector<std::string> tokens;                 // in the order of their ids
  std::vector<BpeVocabulary::Merge> merges;        // `line`: number in the list, from 1
  nlohmann::json added = nlohmann::json::array();  // objects with "id", "content", ...
  std::string unknown;                             // WordPiece's
  // WordPiece's normalisation; byte-level BPE's first blank.
  std::optional<bool> lower_case, strip_accents, space_cjk, add_prefix_space;
};

// Nothing when it is not there. Throws one user error listing all that is wrong, or would change
// ids and is not supported.
std::optional<TokenizerJson> read_tokenizer_json(const std::filesystem::path& folder);

// {"token": id, ...}, ids from 0 on without a gap, in the order of the ids. Throws a user error (at
// `where`) listing what is wrong.
std::vector<std::string> tokens_by_id(const nlohmann::json& vocabulary, const std::string& where);

// A file beside tokenizer.json must hold the same tokens. Throws a user error.
void check_same_tokens(const TokenizerJson& json, const std::vector<std::string>& tokens,
                       const std::filesystem::path& file);

}  // namespace kdbench
