// SPDX-License-Identifier: MIT
// To be preloaded (LD_PRELOAD) into every rank of a job: makes one call of one rank fail, as a full
// memory, a full disk or a broken network would. What may fail is counted kind by kind:
//   new    memory of C++ and of tensors: std::bad_alloc
//   hdf5   memory that HDF5 takes: a null pointer
//   file   calls on regular files: "No space left on device" or "Input/output error"
//   mpi    calls of MPI: an error code, of a call that was not made
// Environment:
//   KDBENCH_FAULT="KIND RANK N"   the N-th call of that kind fails; "N+": every call from it on
//   KDBENCH_FAULT_WINDOW=store    counts only while a file of MPI is open; else all of MPI's life
//   KDBENCH_FAULT_COUNTS=PATH     writes the counts of each rank to PATH.<rank> in MPI_Finalize
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <linux/magic.h>
#include <mpi.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

extern "C" void* __libc_malloc(size_t);
extern "C" void* __libc_calloc(size_t, size_t);
extern "C" void* __libc_realloc(void*, size_t);

namespace {

enum Kind { kNew, kHdf5, kFile, kMpi, kKinds };
constexpr const char* kNames[kKinds] = {"new", "hdf5", "file", "mpi"};

std::atomic<long> counts[kKinds];
std::atomic<bool> counting{false};
bool only_stores = false;
int wanted_kind = -1;  // none on this rank
long wanted_call = 0;
bool stays = false;
int own_rank = 0;
const char *hdf5_begin = nullptr, *hdf5_end = nullptr;  // where HDF5's code lies

// Whether this call, counted here, is to fail.
bool fails(Kind kind) {
  if (!counting) return false;
  const long call = ++counts[kind];
  return kind == wanted_kind && (call == wanted_call || (stays && call > wanted_call));
}

int find_hdf5(dl_phdr_info* library, size_t, void*) {
  if (!std::strstr(library->dlpi_name, "libhdf5")) return 0;
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    const auto& part = library->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || !(part.p_flags & PF_X)) continue;
    hdf5_begin = reinterpret_cast<const char*>(library->dlpi_addr + part.p_vaddr);
    hdf5_end = hdf5_begin + part.p_memsz;
  }
  return 0;
}

void begin() {
  PMPI_Comm_rank(MPI_COMM_WORLD, &own_rank);
  dl_iterate_phdr(find_hdf5, nullptr);
  const char* window = std::getenv("KDBENCH_FAULT_WINDOW");
  only_stores = window && std::strcmp(window, "store") == 0;
  char kind[16], plus = 0;
  int rank = 0;
  long call = 0;
  const char* fault = std::getenv("KDBENCH_FAULT");
  if (fault && std::sscanf(fault, "%15s %d %ld%c", kind, &rank, &call, &plus) >= 3 &&
      rank == own_rank) {
    for (int i = 0; i < kKinds; ++i) {
      if (std::strcmp(kind, kNames[i]) == 0) wanted_kind = i;
    }
    wanted_call = call;
    stays = plus == '+';
  }
  counting = !only_stores;
}

void end() {
  counting = false;
  const char* path = std::getenv("KDBENCH_FAULT_COUNTS");
  if (!path) return;
  char name[4096];
  std::snprintf(name, sizeof name, "%s.%d", path, own_rank);
  if (std::FILE* file = std::fopen(name, "w")) {
    for (int i = 0; i < kKinds; ++i) std::fprintf(file, "%s %ld\n", kNames[i], counts[i].load());
    std::fclose(file);
  }
}

bool from_hdf5(const void* caller) { return caller >= hdf5_begin && caller < hdf5_end; }

// On a disk: /proc and /sys say what the machine is, and libraries take another one for granted.
bool regular(int file) {
  struct stat status {};
  struct statfs system {};
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return false;
  return fstatfs(file, &system) == 0 && system.f_type != PROC_SUPER_MAGIC &&
         system.f_type != SYSFS_MAGIC;
}

bool file_fails(int file) { return counting && regular(file) && fails(kFile); }

template <typename F>
F* next(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// ---- memory

void* operator new(size_t bytes) {
  void* memory = fails(kNew) ? nullptr : __libc_malloc(bytes ? bytes : 1);
  if (!memory) throw std::bad_alloc();
  return memory;
}
void* operator new[](size_t bytes) { return operator new(bytes); }

// What MPI does on an error: it calls the handler of the call's communicator or file, or the
// world's.
bool handle(MPI_Comm comm) { return PMPI_Comm_call_errhandler(comm, MPI_ERR_OTHER) == MPI_SUCCESS; }
bool handle(MPI_File file) { return PMPI_File_call_errhandler(file, MPI_ERR_OTHER) == MPI_SUCCESS; }
template <typename Other>
bool handle(Other) {
  return false;
}
template <typename... Arguments>
int mpi_error(Arguments... arguments) {
  if (!(handle(arguments) || ...)) handle(MPI_COMM_WORLD);
  return MPI_ERR_OTHER;
}

extern "C" {

int posix_memalign(void** memory, size_t alignment, size_t bytes) {
  static const auto real = next<decltype(posix_memalign)>("posix_memalign");
  return fails(kNew) ? ENOMEM : real(memory, alignment, bytes);
}

void* malloc(size_t bytes) {
  if (counting && from_hdf5(__builtin_return_address(0)) && fails(kHdf5)) return nullptr;
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  if (counting && from_hdf5(__builtin_return_address(0)) && fails(kHdf5)) return nullptr;
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, size_t bytes) {
  if (counting && from_hdf5(__builtin_return_address(0)) && fails(kHdf5)) return nullptr;
  return __libc_realloc(memory, bytes);
}

// ---- files

#define ON_FILE(result, name, reason, parameters, arguments) \
  result name parameters {                                   \
    static const auto real = next<result parameters>(#name); \
    if (!file_fails(file)) return real arguments;            \
    errno = reason;                                          \
    return -1;                                               \
  }

// clang-format off
ON_FILE(ssize_t, write, ENOSPC, (int file, const void* data, size_t size), (file, data, size))
ON_FILE(ssize_t, writev, ENOSPC, (int file, const iovec* parts, int count), (file, parts, count))
ON_FILE(ssize_t, pwrite, ENOSPC, (int file, const void* data, size_t size, off_t at), (file, data, size, at))
ON_FILE(ssize_t, pwrite64, ENOSPC, (int file, const void* data, size_t size, off_t at), (file, data, size, at))
ON_FILE(ssize_t, pwritev, ENOSPC, (int file, const iovec* parts, int count, off_t at), (file, parts, count, at))
ON_FILE(ssize_t, pwritev64, ENOSPC, (int file, const iovec* parts, int count, off_t at), (file, parts, count, at))
ON_FILE(ssize_t, read, EIO, (int file, void* data, size_t size), (file, data, size))
ON_FILE(ssize_t, pread, EIO, (int file, void* data, size_t size, off_t at), (file, data, size, at))
ON_FILE(ssize_t, pread64, EIO, (int file, void* data, size_t size, off_t at), (file, data, size, at))
ON_FILE(int, fallocate, ENOSPC, (int file, int mode, off_t at, off_t size), (file, mode, at, size))
ON_FILE(int, fallocate64, ENOSPC, (int file, int mode, off_t at, off_t size), (file, mode, at, size))
ON_FILE(int, ftruncate, ENOSPC, (int file, off_t size), (file, size))
ON_FILE(int, ftruncate64, ENOSPC, (int file, off_t size), (file, size))
ON_FILE(int, fsync, EIO, (int file), (file))
// clang-format on

int rename(const char* from, const char* to) {
  static const auto real = next<decltype(rename)>("rename");
  if (!fails(kFile)) return real(from, to);
  errno = EIO;
  return -1;
}

size_t fwrite(const void* data, size_t size, size_t count, std::FILE* file) {
  static const auto real = next<decltype(fwrite)>("fwrite");
  if (!file_fails(fileno(file))) return real(data, size, count, file);
  errno = ENOSPC;
  return 0;
}

// ---- MPI

int MPI_Init_thread(int* argc, char*** argv, int required, int* provided) {
  const int code = PMPI_Init_thread(argc, argv, required, provided);
  begin();
  return code;
}
int MPI_Finalize() {
  end();
  return PMPI_Finalize();
}

#define IN_MPI(name, parameters, arguments) \
  int MPI_##name parameters { return fails(kMpi) ? mpi_error arguments : PMPI_##name arguments; }

// clang-format off
#define COMM MPI_Comm comm
#define TYPE(name) MPI_Datatype name
IN_MPI(Barrier, (COMM), (comm))
IN_MPI(Bcast, (void* data, int count, TYPE(type), int root, COMM), (data, count, type, root, comm))
IN_MPI(Allreduce, (const void* in, void* out, int count, TYPE(type), MPI_Op op, COMM), (in, out, count, type, op, comm))
IN_MPI(Exscan, (const void* in, void* out, int count, TYPE(type), MPI_Op op, COMM), (in, out, count, type, op, comm))
IN_MPI(Allgather, (const void* in, int sent, TYPE(send), void* out, int got, TYPE(receive), COMM), (in, sent, send, out, got, receive, comm))
IN_MPI(Allgatherv, (const void* in, int sent, TYPE(send), void* out, const int* got, const int* at, TYPE(receive), COMM), (in, sent, send, out, got, at, receive, comm))
IN_MPI(Alltoall, (const void* in, int sent, TYPE(send), void* out, int got, TYPE(receive), COMM), (in, sent, send, out, got, receive, comm))
IN_MPI(Alltoallv, (const void* in, const int* sent, const int* from, TYPE(send), void* out, const int* got, const int* at, TYPE(receive), COMM), (in, sent, from, send, out, got, at, receive, comm))
IN_MPI(Comm_dup, (COMM, MPI_Comm* out), (comm, out))
IN_MPI(Comm_split, (COMM, int colour, int key, MPI_Comm* out), (comm, colour, key, out))
IN_MPI(Comm_split_type, (COMM, int type, int key, MPI_Info info, MPI_Comm* out), (comm, type, key, info, out))
IN_MPI(Comm_rank, (COMM, int* rank), (comm, rank))
IN_MPI(Comm_size, (COMM, int* size), (comm, size))
IN_MPI(Type_contiguous, (int count, TYPE(type), MPI_Datatype* out), (count, type, out))
IN_MPI(Type_commit, (MPI_Datatype* type), (type))
IN_MPI(Type_create_hindexed, (int count, const int* lengths, const MPI_Aint* at, TYPE(type), MPI_Datatype* out), (count, lengths, at, type, out))
IN_MPI(Type_create_struct, (int count, const int* lengths, const MPI_Aint* at, const MPI_Datatype* types, MPI_Datatype* out), (count, lengths, at, types, out))
IN_MPI(File_set_view, (MPI_File file, MPI_Offset at, TYPE(element), TYPE(type), const char* name, MPI_Info info), (file, at, element, type, name, info))
IN_MPI(File_set_size, (MPI_File file, MPI_Offset size), (file, size))
IN_MPI(File_get_size, (MPI_File file, MPI_Offset* size), (file, size))
IN_MPI(File_sync, (MPI_File file), (file))
IN_MPI(File_write_at, (MPI_File file, MPI_Offset at, const void* data, int count, TYPE(type), MPI_Status* status), (file, at, data, count, type, status))
IN_MPI(File_write_at_all, (MPI_File file, MPI_Offset at, const void* data, int count, TYPE(type), MPI_Status* status), (file, at, data, count, type, status))
IN_MPI(File_read_at, (MPI_File file, MPI_Offset at, void* data, int count, TYPE(type), MPI_Status* status), (file, at, data, count, type, status))
IN_MPI(File_read_at_all, (MPI_File file, MPI_Offset at, void* data, int count, TYPE(type), MPI_Status* status), (file, at, data, count, type, status))
// clang-format on

int MPI_File_open(MPI_Comm comm, const char* name, int mode, MPI_Info info, MPI_File* file) {
  counting = true;
  return fails(kMpi) ? mpi_error(comm, name, mode, info, file)
                     : PMPI_File_open(comm, name, mode, info, file);
}
int MPI_File_close(MPI_File* file) {
  const int code = fails(kMpi) ? mpi_error(*file) : PMPI_File_close(file);
  if (only_stores) counting = false;
  return code;
}

}  // extern "C"
