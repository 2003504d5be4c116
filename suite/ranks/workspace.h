// SPDX-License-Identifier: MIT
// Where and with whom the program works: the ranks, the device, the output folder.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "suite/ranks/collectives.h"
#include "suite/ranks/control.h"
#include "suite/ranks/log.h"

namespace kdbench {

// One step of the first training that is made goes to `file`, as a timeline.
struct TraceRequest {
  std::filesystem::path file;
  bool done = false;
};

struct Workspace {
  const Control& control;
  Collectives& collectives;
  at::Device device = at::kCPU;
  int threads = 1;            // per rank
  std::filesystem::path out;  // runs in <out>/<experiment>/, shared stages in <out>/.stages/
  std::string command;        // for run.json
  std::shared_ptr<Log> log = std::make_shared<Log>();
  std::shared_ptr<TraceRequest> trace = nullptr;  // none

  // One line about what happens, from the root rank to the log.
  void say(const std::string& line) const;
  // The same, each line once in a process: what many runs would repeat.
  void say_once(const std::string& line) const;
};

// What `f` returns on the root, on every rank: for what is read from files, so that it is read once
// and all ranks go the same way. Collective; errors are agreed on.
nlohmann::json from_root(const Control& control, const std::function<nlohmann::json()>& f);

// "host:pid"
std::string this_process();

}  // namespace kdbench
