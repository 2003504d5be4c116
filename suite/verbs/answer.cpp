// SPDX-License-Identifier: MIT
#include "suite/verbs/answer.h"

#include <fmt/core.h>

#include <cstdio>

namespace kdbench {

void Answer::text(const std::string& text) const {
  if (json) return;
  fmt::print("{}", text);
  std::fflush(stdout);  // some of it is said long before the end
}

void Answer::finish() const {
  // Paths may hold bytes that are no UTF-8.
  if (json) fmt::print("{}\n", data.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace kdbench
