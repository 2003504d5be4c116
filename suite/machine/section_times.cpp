// SPDX-License-Identifier: MIT
#include "suite/machine/section_times.h"

#include <chrono>
#include <vector>

#include "suite/machine/stopwatch.h"
#ifdef KDBENCH_CUDA
#include <ATen/cuda/CUDAEvent.h>
#endif

namespace kdbench {

#ifdef KDBENCH_CUDA
namespace {

// A point in the current stream of a GPU.
at::cuda::CUDAEvent mark() {
  at::cuda::CUDAEvent event(cudaEventDefault);  // with its time
  event.record();
  return event;
}

constexpr double kSecond = 1e3;  // milliseconds

}  // namespace
#endif

struct SectionTimes::Section::Part {
  double* seconds;
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
#ifdef KDBENCH_CUDA
  at::cuda::CUDAEvent begin, end;
#endif
};

struct SectionTimes::Ended {
  std::vector<std::unique_ptr<Section::Part>> parts;
};

SectionTimes::SectionTimes(c10::Device device)
    : device_(device), ended_(std::make_unique<Ended>()) {}

SectionTimes::~SectionTimes() = default;

SectionTimes::Section::Section(SectionTimes& times, double* seconds)
    : times_(times), part_(std::make_unique<Part>()) {
  part_->seconds = seconds;
#ifdef KDBENCH_CUDA
  if (times.device_.is_cuda()) part_->begin = mark();
#endif
}

SectionTimes::Section::~Section() {
#ifdef KDBENCH_CUDA
  if (times_.device_.is_cuda()) {
    part_->end = mark();
    times_.ended_->parts.push_back(std::move(part_));
    return;
  }
#endif
  *part_->seconds += seconds_since(part_->start);
}

void SectionTimes::settle() {
#ifdef KDBENCH_CUDA
  for (auto& part : ended_->parts) {
    part->end.synchronize();
    *part->seconds += part->begin.elapsed_time(part->end) / kSecond;
  }
#endif
  ended_->parts.clear();
}

}  // namespace kdbench
