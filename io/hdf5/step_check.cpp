// SPDX-License-Identifier: MIT
#include "io/hdf5/step_check.h"

#include <dlfcn.h>
#include <hdf5.h>
#include <mpi.h>

#include "io/base/doing.h"
#include "io/base/end_job.h"
#include "io/base/mpi_check.h"
#include "io/hdf5/hdf5_detail.h"

namespace kdbench::hdf5 {
namespace {

int written_files = 0;

herr_t note_lack(unsigned, const H5E_error2_t* error, void* lacked) {
  if (is_lack_of_memory(*error)) *static_cast<bool*>(lacked) = true;
  return 0;
}

// HDF5 keeps copies of a note's texts. H5allocate_memory tells less: it asks for memory on behalf
// of its caller.
bool can_note() {
  constexpr ssize_t kFull = 32;  // what is noted then is dropped in silence
  if (H5Eget_num(H5E_DEFAULT) >= kFull) return true;
  const herr_t noted = H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS,
                                H5E_RESOURCE, H5E_NONE_MINOR, "a trial");
  return noted >= 0 && H5Epop(H5E_DEFAULT, 1) >= 0;
}

// By what HDF5 noted, or because it cannot even note what happens to it.
bool hdf5_lacked_memory() {
  bool lacked = false;
  return H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_lack, &lacked) < 0 || lacked || !can_note();
}

void check_step() {
  if (written_files == 0 || !hdf5_lacked_memory()) return;
  written_files = 0;
  end_job(Doing::now(), "HDF5 is out of memory");
}

// HDF5 takes errors of MPI for its own, and goes on after some.
int checked(int code) {
  if (written_files > 0) check_mpi(code, "MPI, called by HDF5");
  return code;
}

// The function behind this one: of a tool that was loaded before MPI's library, or MPI's own.
template <typename F>
F* function_behind(const char* name, F* own) {
  void* found = dlsym(RTLD_NEXT, name);
  return found ? reinterpret_cast<F*>(found) : own;
}

}  // namespace

StepCheck::StepCheck(bool writing) : writing_(writing) { written_files += writing_; }
StepCheck::~StepCheck() { written_files -= writing_; }

}  // namespace kdbench::hdf5

#define KDBENCH_IN_STEP(name, parameters, arguments)                                      \
  int MPI_##name parameters {                                                             \
    static const auto behind = kdbench::hdf5::function_behind("MPI_" #name, PMPI_##name); \
    kdbench::hdf5::check_step();                                                          \
    return kdbench::hdf5::checked(behind arguments);                                      \
  }

extern "C" {
// clang-format off
#define COMM MPI_Comm comm
#define TYPE(name) MPI_Datatype name
// All that HDF5 calls and all ranks of a file take part in, and what it needs to know for that.
KDBENCH_IN_STEP(Barrier, (COMM), (comm))
KDBENCH_IN_STEP(Bcast, (void* data, int count, TYPE(type), int root, COMM), (data, count, type, root, comm))
KDBENCH_IN_STEP(Allreduce, (const void* in, void* out, int count, TYPE(type), MPI_Op op, COMM), (in, out, count, type, op, comm))
KDBENCH_IN_STEP(Allgather, (const void* in, int sent, TYPE(send), void* out, int got, TYPE(receive), COMM), (in, sent, send, out, got, receive, comm))
KDBENCH_IN_STEP(Allgatherv, (const void* in, int sent, TYPE(send), void* out, const int* got, const int* at, TYPE(receive), COMM), (in, sent, send, out, got, at, receive, comm))
KDBENCH_IN_STEP(Gather, (const void* in, int sent, TYPE(send), void* out, int got, TYPE(receive), int root, COMM), (in, sent, send, out, got, receive, root, comm))
KDBENCH_IN_STEP(Gatherv, (const void* in, int sent, TYPE(send), void* out, const int* got, const int* at, TYPE(receive), int root, COMM), (in, sent, send, out, got, at, receive, root, comm))
KDBENCH_IN_STEP(Scatterv, (const void* in, const int* sent, const int* from, TYPE(send), void* out, int got, TYPE(receive), int root, COMM), (in, sent, from, send, out, got, receive, root, comm))
KDBENCH_IN_STEP(Comm_rank, (COMM, int* rank), (comm, rank))
KDBENCH_IN_STEP(Comm_size, (COMM, int* size), (comm, size))
KDBENCH_IN_STEP(Comm_dup, (COMM, MPI_Comm* out), (comm, out))
KDBENCH_IN_STEP(File_close, (MPI_File* file), (file))
KDBENCH_IN_STEP(File_set_view, (MPI_File file, MPI_Offset at, TYPE(element), TYPE(type), const char* name, MPI_Info info), (file, at, element, type, name, info))
KDBENCH_IN_STEP(File_set_size, (MPI_File file, MPI_Offset size), (file, size))
KDBENCH_IN_STEP(File_sync, (MPI_File file), (file))
KDBENCH_IN_STEP(File_read_at_all, (MPI_File file, MPI_Offset at, void* data, int count, TYPE(type), MPI_Status* status), (file, at, data, count, type, status))
KDBENCH_IN_STEP(File_write_at_all, (MPI_File file, MPI_Offset at, const void* data, int count, TYPE(type), MPI_Status* status), (file, at, data, count, type, status))
#undef TYPE
#undef COMM
// clang-format on
}  // extern "C"
#undef KDBENCH_IN_STEP
