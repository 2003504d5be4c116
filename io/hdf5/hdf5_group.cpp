// SPDX-License-Identifier: MIT
// Groups: attributes, and the making and opening of datasets.
#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "io/hdf5/hdf5.h"
#include "io/hdf5/hdf5_detail.h"

namespace kdbench::hdf5 {
namespace {

constexpr int64_t kChunkBytes = 1 << 20;

Handle string_type(size_t length) {
  Handle type(in_memory(H5Tcopy(H5T_C_S1)));
  in_memory(H5Tset_size(type.get(), std::max<size_t>(length, 1)));
  in_memory(H5Tset_strpad(type.get(), H5T_STR_NULLPAD));
  in_memory(H5Tset_cset(type.get(), H5T_CSET_UTF8));
  return type;
}

// Chunked and checksummed; without a shape for the chunks, about kChunkBytes each. HDF5 has no
// chunks for an empty array.
Handle creation_properties(const std::vector<hsize_t>& shape, size_t element,
                           const std::vector<int64_t>& wanted) {
  Handle properties(in_memory(H5Pcreate(H5P_DATASET_CREATE)));
  // Times would make equal stores differ.
  in_memory(H5Pset_obj_track_times(properties.get(), false));
  const hsize_t elements =
      std::accumulate(shape.begin(), shape.end(), hsize_t{1}, std::multiplies<>());
  if (elements == 0) return properties;
  std::vector<hsize_t> chunk(wanted.begin(), wanted.end());
  if (wanted.empty()) {
    const hsize_t row_bytes = elements / shape[0] * element;
    chunk = shape;
    chunk[0] = kChunkBytes / std::max<hsize_t>(row_bytes, 1);
  }
  chunk[0] = std::clamp<hsize_t>(chunk[0], 1, shape[0]);
  in_memory(H5Pset_chunk(properties.get(), static_cast<int>(chunk.size()), chunk.data()));
  in_memory(H5Pset_fletcher32(properties.get()));
  return properties;
}

}  // namespace

Group::Group(Handle group, std::shared_ptr<Context> context, std::string name)
    : group_(std::move(group)), context_(std::move(context)), name_(std::move(name)) {}

std::string Group::child(const std::string& name) const {
  return name_ == "/" ? name_ + name : name_ + "/" + name;
}

void Group::fail(const std::string& name, const std::string& what) const {
  fail_in(*context_, child(name), what);
}

Group Group::create_group(const std::string& name) const {
  const Handle creation(in_memory(H5Pcreate(H5P_GROUP_CREATE)));
  in_memory(H5Pset_obj_track_times(creation.get(), false));
  Handle group(H5Gcreate2(group_.get(), name.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT));
  if (group.get() < 0) fail_inside(*context_, child(name), "cannot be made");
  return Group(std::move(group), context_, child(name));
}

Group Group::open_group(const std::string& name) const {
  Handle group(H5Gopen2(group_.get(), name.c_str(), H5P_DEFAULT));
  if (group.get() < 0) fail_inside(*context_, child(name), "is missing or damaged");
  return Group(std::move(group), context_, child(name));
}

std::vector<std::string> Group::children() const {
  std::vector<std::string> names;
  const herr_t done = H5Literate(
      group_.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr,
      [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
        static_cast<std::vector<std::string>*>(out)->emplace_back(name);
        return 0;
      },
      &names);
  if (done < 0) fail_inside(*context_, name_, "cannot be listed");
  return names;
}

bool Group::has(const std::string& name) const {
  const htri_t there = H5Lexists(group_.get(), name.c_str(), H5P_DEFAULT);
  if (there < 0) fail_inside(*context_, child(name), "is damaged");
  return there > 0;
}

void Group::write_attribute(const std::string& attribute, hid_t type, const void* value) const {
  const Handle space(in_memory(H5Screate(H5S_SCALAR)));
  const Handle handle(
      H5Acreate2(group_.get(), attribute.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT));
  if (handle.get() < 0 || H5Awrite(handle.get(), type, value) < 0) {
    fail_inside(*context_, child(attribute), "cannot be written");
  }
}

void Group::set(const std::string& attribute, const std::string& value) const {
  write_attribute(attribute, string_type(value.size()).get(), value.c_str());
}

void Group::set(const std::string& attribute, int64_t value) const {
  write_attribute(attribute, H5T_STD_I64LE, &value);
}

void Group::set(const std::string& attribute, double value) const {
  write_attribute(attribute, H5T_IEEE_F64LE, &value);
}

void Group::require_attribute(const std::string& attribute) const {
  const htri_t there = H5Aexists(group_.get(), attribute.c_str());
  if (there < 0) fail_inside(*context_, child(attribute), "is damaged");
  if (there == 0) fail(attribute, "the attribute is missing");
}

void Group::read_attribute(const std::string& attribute, hid_t type, void* value) const {
  require_attribute(attribute);
  const Handle handle(H5Aopen(group_.get(), attribute.c_str(), H5P_DEFAULT));
  if (handle.get() < 0) fail_inside(*context_, child(attribute), "is damaged");
  const Handle stored(in_memory(H5Aget_type(handle.get())));
  const Handle space(in_memory(H5Aget_space(handle.get())));
  if (H5Tequal(stored.get(), type) <= 0 || H5Sget_simple_extent_npoints(space.get()) != 1) {
    fail(attribute, "the attribute is of another type than expected");
  }
  if (H5Aread(handle.get(), type, value) < 0)
    fail_inside(*context_, child(attribute), "is damaged");
}

std::string Group::text(const std::string& attribute) const {
  require_attribute(attribute);
  H5A_info_t info{};
  if (H5Aget_info_by_name(group_.get(), ".", attribute.c_str(), &info, H5P_DEFAULT) < 0)
    fail_inside(*context_, child(attribute), "is damaged");
  std::string value(std::max<hsize_t>(info.data_size, 1), '\0');
  read_attribute(attribute, string_type(value.size()).get(), value.data());
  return value.c_str();
}

int64_t Group::integer(const std::string& attribute) const {
  int64_t value = 0;
  read_attribute(attribute, H5T_STD_I64LE, &value);
  return value;
}

bool Group::has_attribute(const std::string& attribute) const {
  return H5Aexists(group_.get(), attribute.c_str()) > 0;
}

double Group::real(const std::string& attribute) const {
  double value = 0;
  read_attribute(attribute, H5T_IEEE_F64LE, &value);
  return value;
}

Dataset Group::create_typed(const std::string& name, hid_t type, const std::vector<int64_t>& shape,
                            const std::vector<int64_t>& chunk) const {
  const std::vector<hsize_t> extent(shape.begin(), shape.end());
  const Handle space(
      in_memory(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr)));
  const Handle properties = creation_properties(extent, H5Tget_size(type), chunk);
  Handle dataset(H5Dcreate2(group_.get(), name.c_str(), type, space.get(), H5P_DEFAULT,
                            properties.get(), H5P_DEFAULT));
  if (dataset.get() < 0) fail_inside(*context_, child(name), "cannot be made");
  return Dataset(std::move(dataset), context_, child(name));
}

Dataset Group::create(const std::string& name, Type type, const std::vector<int64_t>& shape,
                      const std::vector<int64_t>& chunk) const {
  return create_typed(name, native(type), shape, chunk);
}

Dataset Group::open(const std::string& name) const {
  Handle dataset(H5Dopen2(group_.get(), name.c_str(), H5P_DEFAULT));
  if (dataset.get() < 0) fail_inside(*context_, child(name), "is missing or damaged");
  return Dataset(std::move(dataset), context_, child(name));
}

void Group::write_integers(const std::string& name, const std::vector<int64_t>& values) const {
  const auto count = static_cast<int64_t>(values.size());
  create(name, Type::kInt64, {count})
      .write(0, context_->writers->rank == 0 ? count : 0, values.data());
}

void Group::write_strings(const std::string& name, const std::vector<std::string>& strings) const {
  size_t length = 1;
  for (const auto& s : strings) length = std::max(length, s.size());
  std::string bytes;
  for (const auto& s : strings) {
    if (s.find('\0') != std::string::npos) fail(name, "a string holds a zero byte");
    bytes.append(s).append(length - s.size(), '\0');
  }
  const auto count = static_cast<int64_t>(strings.size());
  const Handle type = string_type(length);
  const Dataset dataset = create_typed(name, type.get(), {count});
  const bool mine = context_->writers->rank == 0;
  dataset.write_pieces(type.get(), 0, mine ? count : 0, bytes.data());
}

std::vector<std::string> Group::read_strings(const std::string& name) const {
  const Dataset dataset = open(name);
  const Handle stored(in_memory(H5Dget_type(dataset.dataset_.get())));
  const size_t length = H5Tget_size(stored.get());
  const Handle type = string_type(length);
  if (dataset.shape().size() != 1) fail(name, "is not a list of strings");
  dataset.check_stored(type.get());
  std::string bytes(dataset.rows() * length, '\0');
  dataset.read_piece(type.get(), 0, dataset.rows(), bytes.data());
  std::vector<std::string> strings;
  for (size_t at = 0; at < bytes.size(); at += length) {
    strings.emplace_back(bytes.data() + at, strnlen(bytes.data() + at, length));
  }
  return strings;
}

}  // namespace kdbench::hdf5
