// SPDX-License-Identifier: MIT
#include "suite/machine/collective_speed.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "suite/machine/device.h"
#include "suite/machine/stopwatch.h"

namespace kdbench {
namespace {

using Kind = CollectiveOp::Kind;

// Small whole numbers, so that sums over ranks are exact; another one for each rank.
at::Tensor pattern(int rank, int64_t floats) {
  return at::arange(floats, at::kFloat).remainder_(13).add_(static_cast<double>(rank + 1));
}

// An operation on `values`, with the tensors that it fills.
CollectiveOp make_op(Kind kind, const at::Tensor& values, int ranks) {
  CollectiveOp op;
  op.kind = kind;
  op.tensor = values;
  for (int rank = 0; kind == Kind::kAllgather && rank < ranks; ++rank)
    op.parts.push_back(at::empty_like(values));
  if (kind == Kind::kReduceScatterSum) op.parts = values.tensor_split(ranks);
  return op;
}

int64_t differences(const at::Tensor& found, const at::Tensor& expected) {
  return found.to(at::kCPU).ne(expected).sum().item<int64_t>();
}

// On this rank.
int64_t count_wrong(const CollectiveOp& op, int own, int ranks, int64_t floats) {
  if (op.kind == Kind::kBroadcast) return differences(op.tensor, pattern(op.root, floats));
  at::Tensor sum = at::zeros({floats});
  int64_t wrong = 0;
  for (int rank = 0; rank < ranks; ++rank) {
    const at::Tensor part = pattern(rank, floats);
    sum.add_(part);
    if (op.kind == Kind::kAllgather)
      wrong += differences(op.parts[static_cast<size_t>(rank)], part);
  }
  if (op.kind == Kind::kAllgather) return wrong;
  if (op.kind == Kind::kReduceScatterSum) {
    const auto part = static_cast<size_t>(own);
    return differences(op.parts[part], sum.tensor_split(ranks)[part]);
  }
  return differences(op.tensor, sum);
}

}  // namespace

double bus_factor(const std::string& operation, int ranks) {
  const double others = static_cast<double>(ranks - 1) / ranks;
  if (operation == "allreduce") return 2.0 * others;
  if (operation == "allgather" || operation == "reduce-scatter") return others;
  if (operation == "broadcast") return 1.0;
  throw std::logic_error("bus_factor: no operation " + operation);
}

CallTimes time_calls(const Control& control, at::Device device, const MeasuredCalls& calls,
                     const std::function<void()>& call) {
  if (calls.counted < 1) throw std::logic_error("time_calls: nothing to time");
  std::vector<double> seconds;
  for (int64_t i = 0; i < calls.warm_up + calls.counted; ++i) {
    synchronize(device);
    control.barrier();
    const auto start = std::chrono::steady_clock::now();
    call();
    synchronize(device);
    if (i >= calls.warm_up) seconds.push_back(seconds_since(start));
  }
  control.max(seconds);
  std::sort(seconds.begin(), seconds.end());
  const auto at = [&](double share) {
    return seconds[static_cast<size_t>(share * static_cast<double>(seconds.size() - 1) + 0.5)];
  };
  return {at(0.5), at(0.95), seconds.front()};
}

CollectiveSpeed measure_collective(const Control& control, Collectives& collectives, Kind kind,
                                   int64_t floats, at::Device device, const MeasuredCalls& calls) {
  const int ranks = collectives.size();
  CollectiveSpeed speed;
  speed.operation = operation_name(kind);
  speed.bytes =
      static_cast<int64_t>(sizeof(float)) * floats * (kind == Kind::kAllgather ? ranks : 1);
  const CollectiveOp checked = make_op(kind, pattern(collectives.rank(), floats).to(device), ranks);
  collectives.start(checked)->wait();
  const int64_t wrong = count_wrong(checked, collectives.rank(), ranks, floats);
  const auto of_all = control.gather(std::vector<int64_t>{wrong});
  for (const int64_t part : of_all) speed.wrong += part;
  // Zeros stay zeros, however often they are summed.
  const CollectiveOp timed =
      make_op(kind, at::zeros({floats}, at::TensorOptions().device(device)), ranks);
  speed.times = time_calls(control, device, calls, [&] { collectives.start(timed)->wait(); });
  return speed;
}

}  // namespace kdbench
