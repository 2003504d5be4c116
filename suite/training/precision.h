// SPDX-License-Identifier: MIT
// train.precision: in what type a training step computes, and what a type of small range needs
// beside. Values, gradients and moments are float32 whatever it is (Micikevicius et al. 2018).
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>
#include <vector>

namespace kdbench {

// "fp32", "bf16", "fp16".
const std::vector<std::string>& known_precisions();
// Of a known one.
at::ScalarType type_of(const std::string& precision);

// The factor of the loss of a backward pass in float16, so that small gradients do not vanish: it
// halves when they overflow, whose step is left out, and doubles after many that do not. 1 for the
// other types.
class LossScale {
 public:
  explicit LossScale(at::ScalarType type);

  // What it goes on with.
  struct State {
    double value = 1.0;
    int64_t taken = 0;
  };
  State state() const { return {value_, taken_}; }
  void set_state(const State& state);

  double value() const { return value_; }
  // Whether a step with this norm of its scaled gradients is to be taken. All ranks see the same
  // norm, and so agree. A norm that is not finite is let through where no smaller scale could mend
  // it.
  bool takes(double norm);

 private:
  bool dynamic_;
  double value_;
  int64_t taken_ = 0;  // since it last changed
};

}  // namespace kdbench
