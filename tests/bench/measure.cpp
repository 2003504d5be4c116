// SPDX-License-Identifier: MIT
#include "tests/bench/measure.h"

#include <stdexcept>

namespace kdbench {
namespace {

const Control* ranks = nullptr;
at::Device used_device = at::kCPU;

}  // namespace

const Control& world() {
  if (!ranks) throw std::logic_error("benchmarks: set_world was not called");
  return *ranks;
}

at::Device bench_device() { return used_device; }

void set_world(const Control& control, at::Device device) {
  ranks = &control;
  used_device = device;
}

}  // namespace kdbench
