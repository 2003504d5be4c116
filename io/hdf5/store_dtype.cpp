// SPDX-License-Identifier: MIT
#include "io/hdf5/store_dtype.h"

#include <vector>

#include "io/base/error.h"

namespace kdbench {
namespace {

// Infinities and NaN: all bits of the exponent are set. A loop over bits, which compilers
// vectorise.
template <typename Bits>
int64_t count_not_finite(const void* values, int64_t count, Bits exponent) {
  const auto* bits = static_cast<const Bits*>(values);
  int64_t found = 0;
  for (int64_t i = 0; i < count; ++i) found += (bits[i] & exponent) == exponent ? 1 : 0;
  return found;
}

}  // namespace

at::ScalarType store_type(const std::string& name) {
  if (name == "float32") return at::kFloat;
  if (name == "float16") return at::kHalf;
  if (name == "bfloat16") return at::kBFloat16;
  return at::ScalarType::Undefined;
}

hdf5::Type disk_type(at::ScalarType type) {
  hdf5::Type disk = hdf5::Type::kFloat32;
  with_store_type(type, [&](auto zero) { disk = hdf5::type_of<decltype(zero)>(); });
  return disk;
}

at::Tensor to_store_type(const at::Tensor& values, at::ScalarType type) {
  if (type == at::kFloat) return values;
  at::Tensor stored = values.to(type);
  const uint16_t exponent = type == at::kHalf ? 0x7c00 : 0x7f80;
  const int64_t lost = count_not_finite(stored.const_data_ptr(), stored.numel(), exponent);
  if (lost > 0 &&
      lost > count_not_finite<uint32_t>(values.const_data_ptr(), values.numel(), 0x7f800000)) {
    throw_user_error(std::string("store_dtype = ") + (type == at::kHalf ? "float16" : "bfloat16"),
                     "a hidden state is too large for it", "use float32 or bfloat16");
  }
  return stored;
}

bool all_finite(std::span<const float> values) {
  const auto count = static_cast<int64_t>(values.size());
  return count_not_finite<uint32_t>(values.data(), count, 0x7f800000) == 0;
}

void write_rows(const hdf5::Dataset& dataset, int64_t first, int64_t rows,
                const at::Tensor& values) {
  with_store_type(values.scalar_type(), [&](auto zero) {
    dataset.write(first, rows, values.const_data_ptr<decltype(zero)>());
  });
}

void read_rows(const hdf5::Dataset& dataset, at::ScalarType type, int64_t first, int64_t rows,
               float* out) {
  const auto columns = static_cast<int64_t>(dataset.shape().at(1));
  if (type == at::kFloat) return dataset.read_block(first, rows, 0, columns, out);
  with_store_type(type, [&](auto zero) {
    const at::Tensor stored = at::empty({rows * dataset.row_width()}, type);
    dataset.read_block(first, rows, 0, columns, stored.mutable_data_ptr<decltype(zero)>());
    at::from_blob(out, {stored.numel()}, at::kFloat).copy_(stored);
  });
}

}  // namespace kdbench
