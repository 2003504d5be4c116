// SPDX-License-Identifier: MIT
// Rows of a table by index. Backward adds only to the rows that were looked up, in the order of the
// tokens whatever the number of threads.
#pragma once

#include <ATen/ATen.h>

namespace kdbench {

// table (rows, H), ids (T) int64 within it -> (T, H). Fast on the CPU in float32; elsewhere the
// reference. The table's gradient goes where parameter_gradient.h says.
at::Tensor lookup(const at::Tensor& table, const at::Tensor& ids);
at::Tensor lookup_reference(const at::Tensor& table, const at::Tensor& ids);

// table[index[t]] += rows[t], in the order of t. rows (T, H), table (., H): float32, CPU.
void add_to_rows(const at::Tensor& index, const at::Tensor& rows, at::Tensor& table);

}  // namespace kdbench
