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

// The specification of a key of `table`; null, with a problem at its place, when there is none.
const OptionSpec* find_spec(const std::vector<OptionSpec>& specs, const std::string& name,
                            TableReader& table);

// Values by key; defaults where the table has none.
std::map<std::string, OptionValue> read_options(const std::vector<OptionSpec>& specs,
                                                TableReader& table);

}  // namespace kdbench
