// SPDX-License-Identifier: MIT
// RAII types over the C API of parallel HDF5: a file is written collectively through MPI-IO and
// read locally without it. Datasets are chunked and checksummed (fletcher32); an independent write
// to such a dataset fails in HDF5, so all writes are collective. HDF5 is not thread-safe here: only
// the thread that runs MPI may call this.
#pragma once

#include <ATen/ATen.h>
#include <hdf5.h>
#include <mpi.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "io/base/collective.h"
#include "io/base/host_array.h"
#include "io/hdf5/step_check.h"

namespace kdbench::hdf5 {

// Closes an HDF5 identifier of any kind.
class Handle {
 public:
  Handle() = default;
  explicit Handle(hid_t id) : id_(id) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&& other) noexcept;
  ~Handle() { close(); }

  hid_t get() const { return id_; }
  // Forgets the identifier without closing it.
  void release() { id_ = H5I_INVALID_HID; }
  // False when the library could not close it (a file: not flushed).
  bool close();

 private:
  hid_t id_ = H5I_INVALID_HID;
};

// Element types on disk. There is no bfloat16 in HDF5: its bits are stored as uint16, and the
// reader says which it is.
enum class Type { kInt32, kInt64, kUint8, kUint16, kFloat16, kFloat32, kFloat64 };

// HDF5's own identifier of the type; never closed.
hid_t native(Type type);

template <typename T>
constexpr Type type_of() {
  if constexpr (std::is_same_v<T, int32_t>)
    return Type::kInt32;
  else if constexpr (std::is_same_v<T, int64_t>)
    return Type::kInt64;
  else if constexpr (std::is_same_v<T, uint8_t>)
    return Type::kUint8;
  else if constexpr (std::is_same_v<T, uint16_t>)
    return Type::kUint16;
  else if constexpr (std::is_same_v<T, at::BFloat16>)
    return Type::kUint16;
  else if constexpr (std::is_same_v<T, at::Half>)
    return Type::kFloat16;
  else if constexpr (std::is_same_v<T, float>)
    return Type::kFloat32;
  else {
    static_assert(std::is_same_v<T, double>, "no HDF5 type for this element");
    return Type::kFloat64;
  }
}

// What messages need: the file, and whether it is being written (errors of the machine) or read
// (errors in the user's file).
struct Context {
  std::filesystem::path path;
  std::unique_ptr<Communicator> writers;  // null when reading
  // A rank's write failed inside HDF5: it cannot go on, and it cannot close the file either (that
  // is collective).
  bool broken = false;
  const StepCheck step_check;

  Context(std::filesystem::path file, std::unique_ptr<Communicator> ranks)
      : path(std::move(file)), writers(std::move(ranks)), step_check(writers != nullptr) {}
};

// 1-D to 3-D array. Rows are the first dimension.
class Dataset {
 public:
  const std::vector<hsize_t>& shape() const { return shape_; }
  int64_t rows() const { return static_cast<int64_t>(shape_[0]); }
  int64_t row_width() const;   // elements of a row
  int64_t chunk_rows() const;  // rows of a chunk (1 for an empty dataset, which has none)

  // Collective: each rank writes `rows` rows from row `first` on; 0 rows take part too. Slices of
  // ranks must not overlap. A failure inside HDF5 (the disk) is thrown on the rank where it
  // happens, while others may wait inside the library: it must end the job (together).
  template <typename T>
  void write(int64_t first, int64_t rows, const T* data) const {
    write_pieces(native(type_of<T>()), first, rows, reinterpret_cast<const char*>(data));
  }

  // Local. Throws a user error when the type differs or a checksum fails.
  template <typename T>
  void read(int64_t first, int64_t rows, T* data) const {
    check_stored(native(type_of<T>()));
    read_piece(native(type_of<T>()), first, rows, data);
  }
  template <typename T>
  std::vector<T> read_all() const {
    check_stored(native(type_of<T>()));
    std::vector<T> values(static_cast<size_t>(rows() * row_width()));
    read_piece(native(type_of<T>()), 0, rows(), values.data());
    return values;
  }
  // The same into memory that the ranks of `host` share; see HostArray::filled.
  template <typename T>
  HostArray<T> read_all(const HostRanks& host) const {
    check_stored(native(type_of<T>()));
    return HostArray<T>::filled(host, rows() * row_width(), [&](T* values) {
      read_piece(native(type_of<T>()), 0, rows(), values);
    });
  }
  // The checks of read() by themselves: they look at every chunk's entry, which is too much for
  // each of many small reads.
  template <typename T>
  void check() const {
    check_stored(native(type_of<T>()));
  }
  // Local, for many small reads: of `rows` rows from `first` on, the part [column, column +
  // columns) of the second dimension. check<T>() must have been called.
  template <typename T>
  void read_block(int64_t first, int64_t rows, int64_t column, int64_t columns, T* data) const {
    read_columns(native(type_of<T>()), first, rows, {column, columns}, data);
  }

 private:
  friend class Group;
  Dataset(Handle dataset, std::shared_ptr<Context> context, std::string name);
  void write_pieces(hid_t type, int64_t first, int64_t rows, const char* data) const;
  void write_piece(hid_t type, int64_t first, int64_t rows, const void* data) const;
  // Throws unless the elements are of `type` and all of them are on the disk.
  void check_stored(hid_t type) const;
  void read_piece(hid_t type, int64_t first, int64_t rows, void* data) const;
  void read_columns(hid_t type, int64_t first, int64_t rows, std::pair<int64_t, int64_t> columns,
                    void* data) const;
  void read_selected(hid_t type, hid_t memory, hid_t file, void* data) const;
  [[noreturn]] void fail(const std::string& what) const;

  Handle dataset_;
  std::shared_ptr<Context> context_;
  std::string name_;  // full path in the file
  std::vector<hsize_t> shape_;
};

// Names are of direct children. Creating and setting are collective with equal arguments on all
// ranks; a failure inside HDF5 is thrown as by Dataset::write.
class Group {
 public:
  Group create_group(const std::string& name) const;
  Group open_group(const std::string& name) const;
  std::vector<std::string> children() const;  // sorted
  bool has(const std::string& name) const;

  void set(const std::string& attribute, const std::string& value) const;
  void set(const std::string& attribute, int64_t value) const;
  void set(const std::string& attribute, double value) const;
  // Throw a user error when the attribute is missing or of another type.
  std::string text(const std::string& attribute) const;
  int64_t integer(const std::string& attribute) const;
  bool has_attribute(const std::string& attribute) const;
  double real(const std::string& attribute) const;

  // `chunk`: its shape; empty: whole rows, about 1 MiB.
  Dataset create(const std::string& name, Type type, const std::vector<int64_t>& shape,
                 const std::vector<int64_t>& chunk = {}) const;
  Dataset open(const std::string& name) const;
  // 1-D; rank 0's values are written.
  void write_integers(const std::string& name, const std::vector<int64_t>& values) const;
  // 1-D, fixed-length UTF-8 padded with zero bytes; rank 0's strings are written. No string may
  // hold a zero byte.
  void write_strings(const std::string& name, const std::vector<std::string>& strings) const;
  std::vector<std::string> read_strings(const std::string& name) const;

  // Throws the error that fits this file (being written or read), naming the file and `name` in
  // this group.
  [[noreturn]] void fail(const std::string& name, const std::string& what) const;

 private:
  friend class File;
  Group(Handle group, std::shared_ptr<Context> context, std::string name);
  std::string child(const std::string& name) const;
  void write_attribute(const std::string& attribute, hid_t type, const void* value) const;
  void require_attribute(const std::string& attribute) const;
  void read_attribute(const std::string& attribute, hid_t type, void* value) const;
  Dataset create_typed(const std::string& name, hid_t type, const std::vector<int64_t>& shape,
                       const std::vector<int64_t>& chunk = {}) const;

  Handle group_;
  std::shared_ptr<Context> context_;
  std::string name_;
};

class File {
 public:
  // Collective; replaces an existing file. `bytes` (all ranks together, an upper estimate) are
  // reserved on the disk: a machine error on every rank when they are not there. Other failures as
  // in Dataset::write.
  static File create_parallel(const std::filesystem::path& path, MPI_Comm comm, int64_t bytes);
  // Local, read-only, no locks. Throws a user error when this is no complete HDF5 file.
  static File open_read(const std::filesystem::path& path);

  File(File&&) = default;
  // Collective for a file being written that was not closed: to be destroyed by what every rank
  // throws alike, and by nothing else (together).
  ~File();

  Group root() const;
  // Collective for a file being written; errors as in Dataset::write. All groups and datasets must
  // be gone.
  void close();

 private:
  File(Handle file, std::shared_ptr<Context> context);
  Handle file_;
  std::shared_ptr<Context> context_;
};

}  // namespace kdbench::hdf5
