// SPDX-License-Identifier: MIT
#include "io/batches/batch.h"

#include <stdexcept>

namespace kdbench {
namespace {

template <typename Map>
const typename Map::mapped_type& find_field(const Map& fields, const std::string& name,
                                            const char* kind) {
  const auto found = fields.find(name);
  if (found != fields.end()) return found->second;
  std::string known;
  for (const auto& [other, unused] : fields) known += " " + other;
  throw std::logic_error("the batch has no " + std::string(kind) + " field " + name +
                         "; it has:" + known);
}

}  // namespace

const Ragged& Batch::ragged_field(const std::string& name) const {
  return find_field(ragged, name, "ragged");
}

const at::Tensor& Batch::dense_field(const std::string& name) const {
  return find_field(dense, name, "dense");
}

Batch Batch::of_teacher() const {
  Batch read = *this;
  if (!ragged.contains(field::kTeacherTokens)) return read;
  read.ragged[field::kTokens] = ragged.at(field::kTeacherTokens);
  read.dense[field::kFirstSegment] = dense.at(field::kTeacherFirstSegment);
  return read;
}

Batch Batch::to(at::Device device) const {
  Batch moved = *this;
  if (moved.labels.defined()) moved.labels = moved.labels.to(device);
  for (auto& [name, field] : moved.ragged) field.values = field.values.to(device);
  for (auto& [name, field] : moved.dense) {
    if (name != field::kFirstSegment && name != field::kTeacherFirstSegment &&
        name != field::kFirstTarget)
      field = field.to(device);
  }
  return moved;
}

}  // namespace kdbench
