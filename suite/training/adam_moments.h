// SPDX-License-Identifier: MIT
// The moments of Adam's variants: m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, in the two
// forms that the optimizers need: for one float of a fused loop, and for whole tensors.
#pragma once

#include <ATen/ATen.h>

#include "suite/training/optimizer.h"

namespace kdbench {

// In single precision, as the loops need them. `scale`: of the gradients (clipping).
struct MomentFactors {
  MomentFactors(const OptimizerSettings& settings, double scale)
      : scale(static_cast<float>(scale)),
        beta1(static_cast<float>(settings.beta1)),
        rest1(static_cast<float>(1.0 - settings.beta1)),
        beta2(static_cast<float>(settings.beta2)),
        rest2(static_cast<float>(1.0 - settings.beta2)) {}
  float scale, beta1, rest1, beta2, rest2;
};

struct Moments {
  float m, v;
};

// Stores the new moments in `first` and `second`, and returns them. Always inlined: a loop compiled
// for several instruction sets must not call code that is compiled for one.
[[gnu::always_inline]] inline Moments advance_moments(float gradient, float& first, float& second,
                                                      const MomentFactors& f) {
  const float scaled = gradient * f.scale;
  const Moments moments{f.beta1 * first + f.rest1 * scaled,
                        f.beta2 * second + f.rest2 * scaled * scaled};
  first = moments.m;
  second = moments.v;
  return moments;
}

// The same for tensors of one shape, in place; `gradients` are left scaled.
inline void advance_moments(at::Tensor& gradients, at::Tensor& first, at::Tensor& second,
                            const OptimizerSettings& settings, double scale) {
  gradients.mul_(scale);
  first.mul_(settings.beta1).add_(gradients, 1.0 - settings.beta1);
  second.mul_(settings.beta2).addcmul_(gradients, gradients, 1.0 - settings.beta2);
}

}  // namespace kdbench
