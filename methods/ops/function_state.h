// SPDX-License-Identifier: MIT
// Any C++ value carried from a Function's forward to its backward.
#pragma once

#include <torch/csrc/autograd/custom_function.h>

#include <utility>

namespace kdbench {

template <typename T>
struct FunctionState : torch::CustomClassHolder {
  explicit FunctionState(T state) : value(std::move(state)) {}
  T value;
};

template <typename T>
void save_state(torch::autograd::AutogradContext* ctx, T value) {
  ctx->saved_data["state"] =
      c10::IValue::make_capsule(c10::make_intrusive<FunctionState<T>>(std::move(value)));
}

// `T` must be what save_state stored.
template <typename T>
T saved_state(torch::autograd::AutogradContext* ctx) {
  const auto holder = ctx->saved_data["state"].toCapsule();
  return static_cast<const FunctionState<T>&>(*holder).value;
}

}  // namespace kdbench
