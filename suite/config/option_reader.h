// SPDX-License-Identifier: MIT
// A method's own keys: from TOML values to Options, by the specifications that the method declares.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "methods/options.h"
#include "suite/config/toml_reader.h"

namespace kdbench {

// What a key takes: "a number from 0 to 1", "one of \"skip\", \"last\", or a list of integers".
std::string expectation(const OptionSpec& spec);
// A value as text: true, 5, 0.5, skip, [1,2].
std::string value_text(const OptionValue& value);

// Reads the value of `spec`; a mistake goes to `problems` as "<key>: expected ...".
std::optional<OptionValue> read_option(const OptionSpec& spec, const toml::node& node,
                                       const std::string& key, Problems& problems);

// Values by key; defaults where the table has none.
std::map<std::string, OptionValue> read_options(const std::vector<OptionSpec>& specs,
                                                TableReader& table);

// One key of [method.grid] and the values it takes in turn.
struct GridAxis {
  std::string key;
  std::vector<OptionValue> values;
};
std::vector<GridAxis> read_grid(const std::vector<OptionSpec>& specs, TableReader table);
// All combinations, the last axis moving fastest; one empty point without axes.
std::vector<std::map<std::string, OptionValue>> grid_points(const std::vector<GridAxis>& axes);

}  // namespace kdbench
