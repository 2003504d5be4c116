// SPDX-License-Identifier: MIT
// --set key=value: written into the parsed document before anything is read, so that the same
// checks apply to both.
#pragma once

#include <string>
#include <vector>

#include "suite/config/toml_reader.h"

namespace kdbench {

// "train.epochs=2", "method.<label>.alpha=0.5". The value is TOML ("[1, 2]", "true", "2e-5"), else
// a text as it stands. Tables on the way are created; whether the key exists is found when the
// document is read.
void apply_overrides(toml::table& document, const std::vector<std::string>& overrides,
                     Problems& problems);

}  // namespace kdbench
