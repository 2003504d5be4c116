// SPDX-License-Identifier: MIT
#include "io/hdf5/hdf5.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <new>
#include <numeric>
#include <utility>

#include "io/base/error.h"
#include "io/base/mpi_check.h"
#include "io/hdf5/hdf5_detail.h"
#include "io/hdf5/store_seal.h"

namespace kdbench::hdf5 {
namespace {

constexpr int64_t kPieceBytes = 32 << 20;  // of one rank in one collective write

}  // namespace

namespace {

// HDF5's own words, from the innermost error outwards, and whether it lacked memory.
struct ErrorStack {
  std::string words;
  bool no_memory = false;
};

// Empties HDF5's stack.
ErrorStack take_errors() {
  ErrorStack stack;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
        auto& [words, no_memory] = *static_cast<ErrorStack*>(out);
        const std::string line = error->desc ? error->desc : "";
        if (!line.empty() && words.find(line) == std::string::npos)
          words += (words.empty() ? "" : "; ") + line;
        if (is_lack_of_memory(*error)) no_memory = true;
        return 0;
      },
      &stack);
  H5Eclear2(H5E_DEFAULT);
  if (stack.words.empty()) return {"no reason given", true};  // a reason takes memory, too
  return stack;
}

bool is_as_sealed(const std::filesystem::path& path) {
  try {
    check_seal(path);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::string place_in(const Context& context, const std::string& object) {
  return context.path.string() + (object.empty() ? "" : ":" + object);
}

}  // namespace

hid_t in_memory(hid_t id) {
  if (id < 0) throw std::bad_alloc();
  return id;
}

void fail_in(const Context& context, const std::string& object, const std::string& what) {
  const std::string where = place_in(context, object);
  if (context.writers) throw_machine_error(where, what, "is there enough space on the disk?");
  throw_user_error(where, what, "make the stage that wrote this file again");
}

void fail_inside(const Context& context, const std::string& object, const std::string& what) {
  const ErrorStack stack = take_errors();
  const std::string where = place_in(context, object), why = what + ": " + stack.words;
  if (context.writers) {
    if (stack.no_memory)  // HDF5 says it of the disk, too
      throw_machine_error(where, why, "is there enough memory, and space on the disk?");
  } else {
    if (stack.words.find("file read failed") != std::string::npos)  // the disk, not what is on it
      throw_machine_error(where, why, "read it again, or make the stage that wrote it again");
    if (stack.no_memory && is_as_sealed(context.path))
      throw_machine_error(where, "cannot be read: out of memory: " + stack.words);
  }
  fail_in(context, object, why);
}

hid_t native(Type type) {
  // IEEE binary16: sign bit 15, 5 bits of exponent from bit 10 on (bias 15), 10 of mantissa.
  static const hid_t half = [] {
    const hid_t t = in_memory(H5Tcopy(H5T_IEEE_F32LE));
    in_memory(H5Tset_fields(t, 15, 10, 5, 0, 10));
    in_memory(H5Tset_size(t, 2));
    in_memory(H5Tset_ebias(t, 15));
    return t;
  }();
  switch (type) {
    case Type::kInt32:
      return H5T_STD_I32LE;
    case Type::kInt64:
      return H5T_STD_I64LE;
    case Type::kUint8:
      return H5T_STD_U8LE;
    case Type::kUint16:
      return H5T_STD_U16LE;
    case Type::kFloat16:
      return half;
    case Type::kFloat32:
      return H5T_IEEE_F32LE;
    case Type::kFloat64:
      return H5T_IEEE_F64LE;
  }
  return H5I_INVALID_HID;
}

namespace {

// Takes the space on the disk now, so that a full disk is found here and not in the midst of a
// collective write. A file system that cannot do it is asked how much it has.
void reserve(const Context& context, int64_t bytes) {
  const int file = ::open(context.path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0) fail_in(context, "", std::string("cannot be made: ") + std::strerror(errno));
  const bool reserved = bytes <= 0 || ::fallocate(file, 0, 0, bytes) == 0;
  const int reason = errno;
  if (!reserved && ::ftruncate(file, 0) != 0) errno = reason;  // gives back what was taken
  ::close(file);
  std::error_code unknown;
  const bool room =
      !reserved && reason == EOPNOTSUPP &&
      std::filesystem::space(context.path, unknown).available >= static_cast<uint64_t>(bytes);
  if (!reserved && !room) {
    fail_in(context, "",
            "has no room for " + std::to_string(bytes >> 20) + " MiB: " + std::strerror(reason));
  }
}

// A name for MPI-IO, which may take what stands before a colon for the kind of file system: of a
// path with colons, that of the open file. The file must be there.
class PlainName {
 public:
  explicit PlainName(const std::filesystem::path& path) : name_(path.string()) {
    if (name_.find(':') == std::string::npos) return;
    file_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (file_ < 0) throw_machine_error(name_, std::string("cannot be opened: ") + strerror(errno));
    name_ = "/proc/self/fd/" + std::to_string(file_);
  }
  ~PlainName() {
    if (file_ >= 0) ::close(file_);
  }
  PlainName(const PlainName&) = delete;
  PlainName& operator=(const PlainName&) = delete;
  const std::string& get() const { return name_; }

 private:
  std::string name_;
  int file_ = -1;
};

void silence() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

std::vector<hsize_t> shape_of(hid_t space) {
  std::vector<hsize_t> shape(in_memory(H5Sget_simple_extent_ndims(space)));
  in_memory(H5Sget_simple_extent_dims(space, shape.data(), nullptr));
  return shape;
}

void select(const Handle& space, const std::vector<hsize_t>& start,
            const std::vector<hsize_t>& count) {
  in_memory(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(),
                                nullptr));
}

// Rows [first, first + rows) of the file's space; an empty selection for 0 rows.
Handle select_rows(hid_t dataset, const std::vector<hsize_t>& shape, int64_t first, int64_t rows) {
  Handle space(in_memory(H5Dget_space(dataset)));
  if (rows == 0) {
    in_memory(H5Sselect_none(space.get()));
    return space;
  }
  std::vector<hsize_t> start(shape.size(), 0), count = shape;
  start[0] = first;
  count[0] = rows;
  select(space, start, count);
  return space;
}

// Of the same rank as the file's space: HDF5 maps a flat one element by element, at a tenth of the
// speed.
Handle memory_space(std::vector<hsize_t> shape, int64_t rows) {
  shape[0] = rows;
  Handle space(in_memory(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr)));
  if (rows == 0) in_memory(H5Sselect_none(space.get()));
  return space;
}

}  // namespace

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    close();
    id_ = std::exchange(other.id_, H5I_INVALID_HID);
  }
  return *this;
}

bool Handle::close() {
  const hid_t id = std::exchange(id_, H5I_INVALID_HID);
  switch (id > 0 ? H5Iget_type(id) : H5I_BADID) {
    case H5I_FILE:
      return H5Fclose(id) >= 0;
    case H5I_GROUP:
      return H5Gclose(id) >= 0;
    case H5I_DATASET:
      return H5Dclose(id) >= 0;
    case H5I_DATASPACE:
      return H5Sclose(id) >= 0;
    case H5I_DATATYPE:
      return H5Tclose(id) >= 0;
    case H5I_ATTR:
      return H5Aclose(id) >= 0;
    case H5I_GENPROP_LST:
      return H5Pclose(id) >= 0;
    default:
      return true;
  }
}

Dataset::Dataset(Handle dataset, std::shared_ptr<Context> context, std::string name)
    : dataset_(std::move(dataset)), context_(std::move(context)), name_(std::move(name)) {
  const Handle space(in_memory(H5Dget_space(dataset_.get())));
  shape_ = shape_of(space.get());
  if (shape_.empty()) fail("is a single value, not an array");
}

int64_t Dataset::row_width() const {
  return std::accumulate(shape_.begin() + 1, shape_.end(), int64_t{1}, std::multiplies<>());
}

int64_t Dataset::chunk_rows() const {
  const Handle properties(in_memory(H5Dget_create_plist(dataset_.get())));
  if (in_memory(H5Pget_layout(properties.get())) != H5D_CHUNKED) return 1;
  std::vector<hsize_t> chunk(shape_.size(), 1);
  in_memory(H5Pget_chunk(properties.get(), static_cast<int>(chunk.size()), chunk.data()));
  return static_cast<int64_t>(chunk[0]);
}

void Dataset::fail(const std::string& what) const { fail_in(*context_, name_, what); }

// Pieces end where chunks end, so that a chunk is written once.
void Dataset::write_pieces(hid_t type, int64_t first, int64_t rows, const char* data) const {
  const auto element = static_cast<int64_t>(H5Tget_size(type));
  const int64_t row_bytes = row_width() * element;
  const int64_t chunk = chunk_rows();
  const int64_t piece =
      std::max<int64_t>(kPieceBytes / std::max<int64_t>(row_bytes, 1) / chunk, 1) * chunk;
  const int64_t last_piece = rows > 0 ? (first + rows - 1) / piece - first / piece + 1 : 0;
  if (row_bytes * this->rows() == 0) return;  // HDF5 fails to write nothing at all
  const int64_t pieces = max(*context_->writers, last_piece);
  int64_t begin = first;
  for (int64_t i = 0; i < pieces; ++i) {
    const int64_t end = std::min(first + rows, (begin / piece + 1) * piece);
    write_piece(type, begin, end - begin, data + (begin - first) * row_bytes);
    begin = end;
  }
}

void Dataset::write_piece(hid_t type, int64_t first, int64_t rows, const void* data) const {
  const Handle file_space = select_rows(dataset_.get(), shape_, first, rows);
  const Handle memory = memory_space(shape_, rows);
  const Handle transfer(in_memory(H5Pcreate(H5P_DATASET_XFER)));
  in_memory(H5Pset_dxpl_mpio(transfer.get(), H5FD_MPIO_COLLECTIVE));
  const char nothing = 0;  // a null buffer is refused even for an empty selection
  if (H5Dwrite(dataset_.get(), type, memory.get(), file_space.get(), transfer.get(),
               rows > 0 ? data : &nothing) < 0) {
    context_->broken = true;
    fail_inside(*context_, name_, "cannot be written");
  }
}

void Dataset::check_stored(hid_t type) const {
  const Handle stored(in_memory(H5Dget_type(dataset_.get())));
  if (H5Tequal(stored.get(), type) <= 0) fail("holds elements of another type than expected");
  // Before memory is taken: a damaged header may promise any number of rows.
  const Handle space(in_memory(H5Dget_space(dataset_.get())));
  const auto elements = static_cast<hsize_t>(H5Sget_simple_extent_npoints(space.get()));
  if (elements > H5Dget_storage_size(dataset_.get()) / H5Tget_size(type)) {
    fail("has fewer elements on disk than its shape says");
  }
}

void Dataset::read_piece(hid_t type, int64_t first, int64_t rows, void* data) const {
  if (first < 0 || rows < 0 || first + rows > this->rows()) fail("has fewer rows than expected");
  if (rows == 0) return;
  read_selected(type, memory_space(shape_, rows).get(),
                select_rows(dataset_.get(), shape_, first, rows).get(), data);
}

void Dataset::read_columns(hid_t type, int64_t first, int64_t rows,
                           std::pair<int64_t, int64_t> columns, void* data) const {
  const auto [column, count] = columns;
  if (shape_.size() < 2 || first < 0 || rows < 0 || first + rows > this->rows() || column < 0 ||
      count < 0 || column + count > static_cast<int64_t>(shape_[1])) {
    fail("has fewer rows or columns than expected");
  }
  if (rows == 0 || count == 0) return;
  std::vector<hsize_t> start(shape_.size(), 0), block = shape_;
  start[0] = first;
  start[1] = column;
  block[0] = rows;
  block[1] = count;
  const Handle memory = memory_space(block, rows);
  const Handle file(in_memory(H5Dget_space(dataset_.get())));
  select(file, start, block);
  read_selected(type, memory.get(), file.get(), data);
}

void Dataset::read_selected(hid_t type, hid_t memory, hid_t file, void* data) const {
  if (H5Dread(dataset_.get(), type, memory, file, H5P_DEFAULT, data) < 0) {
    fail_inside(*context_, name_, "is damaged");
  }
}

File::File(Handle file, std::shared_ptr<Context> context)
    : file_(std::move(file)), context_(std::move(context)) {}

File::~File() {
  if (context_ && context_->broken) file_.release();
}

File File::create_parallel(const std::filesystem::path& path, MPI_Comm comm, int64_t bytes) {
  silence();
  auto context = std::make_shared<Context>(path, std::make_unique<Communicator>(comm));
  const Communicator& ranks = *context->writers;
  const auto on_one = [&] {
    if (ranks.rank == 0) reserve(*context, bytes);
  };
  // By reference: a std::function of its own could lack memory on one rank, with the file open.
  const auto reserve_once = [&] { agree(ranks, std::cref(on_one)); };
  reserve_once();  // before HDF5 has a file that it could not even close on a full disk
  const Handle access(in_memory(H5Pcreate(H5P_FILE_ACCESS)));
  MPI_Comm inside = MPI_COMM_NULL;  // HDF5's calls of MPI
  check_mpi(MPI_Comm_dup(comm, &inside), "MPI_Comm_dup");
  end_job_on_errors(inside);
  end_job_on_errors(MPI_FILE_NULL);  // files that are opened from now on
  in_memory(H5Pset_fapl_mpio(access.get(), inside, MPI_INFO_NULL));
  // The newest format of 1.10 has checksums on its own structures too, not only on the chunks.
  in_memory(H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_V110));
  in_memory(H5Pset_coll_metadata_write(access.get(), true));
  const Handle creation(in_memory(H5Pcreate(H5P_FILE_CREATE)));
  in_memory(H5Pset_obj_track_times(creation.get(), false));  // times would make equal stores differ
  in_memory(H5Pset_userblock(creation.get(), kSealBytes));
  const PlainName name(path);
  Handle file(H5Fcreate(name.get().c_str(), H5F_ACC_TRUNC, creation.get(), access.get()));
  free_communicator(inside);  // the file has its own of it
  if (file.get() < 0) fail_inside(*context, "", "cannot be made");
  File created(std::move(file), context);
  reserve_once();  // creating it cut it to nothing
  return created;
}

File File::open_read(const std::filesystem::path& path) {
  silence();
  auto context = std::make_shared<Context>(path, nullptr);
  if (!std::filesystem::is_regular_file(path))
    throw_user_error(path.string(), "there is no such file");
  const Handle access(in_memory(H5Pcreate(H5P_FILE_ACCESS)));
  in_memory(H5Pset_fapl_sec2(access.get()));
  in_memory(H5Pset_file_locking(access.get(), false, true));
  Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()));
  if (file.get() < 0) fail_inside(*context, "", "is no complete HDF5 file");
  return File(std::move(file), std::move(context));
}

Group File::root() const {
  Handle group(H5Gopen2(file_.get(), "/", H5P_DEFAULT));
  if (group.get() < 0) fail_inside(*context_, "/", "is damaged");
  return Group(std::move(group), context_, "/");
}

void File::close() {
  const auto failed = [&](const char* what) {
    context_->broken = true;
    fail_inside(*context_, "", what);
  };
  if (context_->writers && H5Fflush(file_.get(), H5F_SCOPE_GLOBAL) < 0) failed("cannot be flushed");
  if (!file_.close()) failed("cannot be closed");
  if (context_->writers) agree(*context_->writers, [] {});
}

}  // namespace kdbench::hdf5
