// SPDX-License-Identifier: MIT
#include "suite/training/precision.h"

#include <cmath>
#include <stdexcept>

namespace kdbench {
namespace {

// PyTorch's GradScaler has the same.
constexpr double kFirstScale = 65536.0, kLeastScale = 1.0, kLargestScale = 0x1p40;
constexpr int64_t kStepsToGrow = 2000;

}  // namespace

const std::vector<std::string>& known_precisions() {
  static const std::vector<std::string> names{"fp32", "bf16", "fp16"};
  return names;
}

at::ScalarType type_of(const std::string& precision) {
  if (precision == "fp32") return at::ScalarType::Float;
  if (precision == "bf16") return at::ScalarType::BFloat16;
  if (precision == "fp16") return at::ScalarType::Half;
  throw std::logic_error("no precision " + precision);
}

LossScale::LossScale(at::ScalarType type)
    : dynamic_(type == at::ScalarType::Half), value_(dynamic_ ? kFirstScale : 1.0) {}

void LossScale::set_state(const State& state) {
  value_ = state.value;
  taken_ = state.taken;
}

bool LossScale::takes(double norm) {
  if (!dynamic_) return true;
  if (!std::isfinite(norm)) {
    if (value_ <= kLeastScale) return true;
    value_ /= 2.0;
    taken_ = 0;
    return false;
  }
  if (++taken_ == kStepsToGrow) {
    taken_ = 0;
    if (value_ < kLargestScale) value_ *= 2.0;
  }
  return true;
}

}  // namespace kdbench
