// SPDX-License-Identifier: MIT
#include "methods/options/options.h"

#include <stdexcept>

namespace kdbench {

bool Options::holds_list(const std::string& name) const {
  const auto it = values_.find(name);
  if (it == values_.end()) bad_access(name);
  return std::holds_alternative<std::vector<int64_t>>(it->second);
}

void Options::bad_access(const std::string& name) {
  throw std::logic_error("option '" + name + "' is not declared with this type");
}

}  // namespace kdbench
