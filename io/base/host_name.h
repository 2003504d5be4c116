// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace kdbench {

// This host's name, as it gives it.
std::string host_name();

}  // namespace kdbench
