// SPDX-License-Identifier: MIT
// What a process does for a while, as a timeline in the Trace Event Format, which Perfetto
// (ui.perfetto.dev) and chrome://tracing show: LibTorch's operations, forward and backward, and
// what is marked by RECORD_USER_SCOPE (ATen/record_function.h).
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "suite/ranks/control.h"

namespace kdbench {

// Records from now until it ends, on all threads. One at a time in a process. Work of a GPU shows
// as the calls that hand it over.
class TraceRecording {
 public:
  // `events`, an array, gets what happened; it must outlive this.
  explicit TraceRecording(nlohmann::json& events);
  ~TraceRecording();
  TraceRecording(const TraceRecording&) = delete;
  TraceRecording& operator=(const TraceRecording&) = delete;

 private:
  nlohmann::json& events_;
  uint64_t handle_ = 0;
};

// All ranks' events in one file, a process of the timeline each. Collective.
void write_trace(const std::filesystem::path& file, const nlohmann::json& events,
                 const Control& control);

}  // namespace kdbench
