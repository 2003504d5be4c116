// SPDX-License-Identifier: MIT
// How fast the ranks' collectives are, and whether what they give is right. Bandwidths as
// nccl-tests define them: algbw = bytes / time; busbw = algbw x a factor of the operation that
// makes it the bandwidth of each rank's link: 2 (n - 1) / n of an allreduce, (n - 1) / n of an
// allgather or a reduce-scatter, 1 of a broadcast, for n ranks. Bytes are those of the whole
// tensor: of an allgather, of all ranks' parts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "suite/ranks/collective_ops.h"
#include "suite/ranks/control.h"

namespace kdbench {

// Seconds of many calls, of each the slowest rank's.
struct CallTimes {
  double median = 0, p95 = 0, least = 0;
};

struct CollectiveSpeed {
  std::string operation;  // as operation_name()
  int64_t bytes = 0;
  CallTimes times;
  int64_t wrong = 0;  // floats of all ranks that are not what they must be

  double algbw() const { return times.median > 0 ? static_cast<double>(bytes) / times.median : 0; }
};

struct MeasuredCalls {
  int64_t warm_up = 5, counted = 20;
};

// busbw / algbw.
double bus_factor(const std::string& operation, int ranks);

// Ranks meet before each call. Collective.
CallTimes time_calls(const Control& control, at::Device device, const MeasuredCalls& calls,
                     const std::function<void()>& call);

// One operation on `floats` floats of each rank, checked once, then timed. Collective.
CollectiveSpeed measure_collective(const Control& control, Collectives& collectives,
                                   CollectiveOp::Kind kind, int64_t floats, at::Device device,
                                   const MeasuredCalls& calls);

}  // namespace kdbench
