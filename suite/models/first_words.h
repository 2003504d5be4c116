// SPDX-License-Identifier: MIT
// The first vectors of a model's words.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "methods/models/model.h"

namespace kdbench {

// Sets the rows of the model's word tables, `words` by id: to the vectors of the file, where one is
// given and has the word, else to numbers keyed by (seed, word), from the architecture's
// distribution; all tables alike. Returns how many words the file has. Local; throws a user error
// about the file.
int64_t set_first_words(Model& model, const std::vector<std::string>& words,
                        const std::optional<std::filesystem::path>& vectors, uint64_t seed);

// That the file's vectors can be used in a model of this width; reads its beginning alone. Throws a
// user error.
void check_vectors(const std::filesystem::path& vectors, const ModelConfig& config);

}  // namespace kdbench
