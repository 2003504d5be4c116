// SPDX-License-Identifier: MIT
// Records of schema_version 1: each held the whole experiment with all its methods, megabytes where
// these are the points of a grid.
#pragma once

#include <string>

namespace kdbench {

// The text of a run.json; of schema_version 1 without config.methods, which no table needs: they
// are cut out before the text is parsed, as that would take nearly all of the time and the memory.
// Any other text, also one that is no JSON, is returned as it is.
std::string without_whole_experiment(std::string text);

}  // namespace kdbench
