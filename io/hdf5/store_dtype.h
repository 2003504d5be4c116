// SPDX-License-Identifier: MIT
// The element types in which a teacher's states are stored. In memory they are float32.
#pragma once

#include <ATen/ATen.h>

#include <span>
#include <string>

#include "io/hdf5/hdf5.h"

namespace kdbench {

// float32, float16 or bfloat16; Undefined for any other name.
at::ScalarType store_type(const std::string& name);
hdf5::Type disk_type(at::ScalarType type);

// Calls `f` with a value of the C++ type of `type`.
template <typename F>
void with_store_type(at::ScalarType type, F&& f) {
  if (type == at::kHalf) return f(at::Half());
  if (type == at::kBFloat16) return f(at::BFloat16());
  f(float());
}

// `values` (float32, contiguous) in `type`. One that is finite only in float32 is a user error.
at::Tensor to_store_type(const at::Tensor& values, at::ScalarType type);

// Collective, as hdf5::Dataset::write; `values` are of the stored type.
void write_rows(const hdf5::Dataset& dataset, int64_t first, int64_t rows,
                const at::Tensor& values);

// False when one is NaN or infinite.
bool all_finite(std::span<const float> values);

// Whole rows of an array of 2 or 3 dimensions as float32. Local, as hdf5::Dataset::read_block.
void read_rows(const hdf5::Dataset& dataset, at::ScalarType type, int64_t first, int64_t rows,
               float* out);

}  // namespace kdbench
