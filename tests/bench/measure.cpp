// SPDX-License-Identifier: MIT
#include "tests/bench/measure.h"

#include <stdexcept>

namespace kdbench {
namespace {

const Control* ranks = nullptr;

}  // namespace

const Control& world() {
  if (!ranks) throw std::logic_error("benchmarks: set_world was not called");
  return *ranks;
}

void set_world(const Control& control) { ranks = &control; }

}  // namespace kdbench
