// SPDX-License-Identifier: MIT
#include "suite/ranks/workspace.h"

#include <fmt/core.h>
#include <unistd.h>

#include <set>

#include "io/base/host_name.h"

namespace kdbench {

void Workspace::say(const std::string& line) const {
  if (control.root()) log->line(line);
}

void Workspace::say_once(const std::string& line) const {
  static std::set<std::string> said;
  if (said.insert(line).second) say(line);
}

nlohmann::json from_root(const Control& control, const std::function<nlohmann::json()>& f) {
  std::string text;
  control.on_root([&] { text = f().dump(); });
  return nlohmann::json::parse(control.broadcast(text));
}

std::string this_process() { return fmt::format("{}:{}", host_name(), getpid()); }

}  // namespace kdbench
