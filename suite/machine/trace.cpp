// SPDX-License-Identifier: MIT
#include "suite/machine/trace.h"

#include <ATen/record_function.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/base/partial_file.h"

namespace kdbench {
namespace {

// Microseconds of the host's clock, which its ranks share.
double now() {
  const auto time = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::micro>(time).count();
}

struct Span {
  std::string name;
  at::RecordScope scope;
  uint64_t thread;
  double start, end;
};

// LibTorch calls functions without state.
struct Spans {
  std::mutex mutex;
  std::vector<Span> list;
};
Spans& spans() {
  static Spans all;
  return all;
}

struct Begun : at::ObserverContext {
  double start = now();
};

std::unique_ptr<at::ObserverContext> begin_span(const at::RecordFunction&) {
  return std::make_unique<Begun>();
}

void end_span(const at::RecordFunction& function, at::ObserverContext* begun) {
  const double end = now();
  const std::lock_guard<std::mutex> lock(spans().mutex);
  spans().list.push_back({function.name(), function.scope(), at::RecordFunction::currentThreadId(),
                          static_cast<Begun*>(begun)->start, end});
}

const char* category(at::RecordScope scope) {
  if (scope == at::RecordScope::BACKWARD_FUNCTION) return "backward";
  return scope == at::RecordScope::USER_SCOPE ? "kdbench" : "operation";
}

}  // namespace

TraceRecording::TraceRecording(nlohmann::json& events) : events_(events) {
  if (!spans().list.empty()) throw std::logic_error("TraceRecording: there is another");
  handle_ = at::addGlobalCallback(
      at::RecordFunctionCallback(begin_span, end_span)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION,
                   at::RecordScope::USER_SCOPE}));
}

TraceRecording::~TraceRecording() {
  at::removeCallback(handle_);
  const std::lock_guard<std::mutex> lock(spans().mutex);
  for (const auto& span : spans().list) {
    events_.push_back({{"name", span.name},
                       {"cat", category(span.scope)},
                       {"ph", "X"},
                       {"ts", span.start},
                       {"dur", span.end - span.start},
                       {"tid", span.thread}});
  }
  spans().list.clear();
}

void write_trace(const std::filesystem::path& file, const nlohmann::json& events,
                 const Control& control) {
  const auto of_ranks = control.gather(events.dump());
  control.on_root([&] {
    nlohmann::json all = nlohmann::json::array();
    for (size_t rank = 0; rank < of_ranks.size(); ++rank) {
      all.push_back({{"name", "process_name"},
                     {"ph", "M"},
                     {"pid", rank},
                     {"args", {{"name", "rank " + std::to_string(rank)}}}});
      for (auto& event : nlohmann::json::parse(of_ranks[rank])) {
        event["pid"] = rank;
        all.push_back(std::move(event));
      }
    }
    const std::string text = nlohmann::json{{"traceEvents", std::move(all)}}.dump();
    write_file(file, text);
  });
}

}  // namespace kdbench
