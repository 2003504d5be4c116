// SPDX-License-Identifier: MIT
#include "suite/ranks/control.h"

#include <hdf5.h>

#include <cstdlib>
#include <limits>
#include <stdexcept>

#include "io/base/collective.h"
#include "io/base/doing.h"
#include "io/base/end_job.h"
#include "io/base/error.h"
#include "io/base/mpi_check.h"
#include "suite/ranks/temporary_folder.h"

namespace kdbench {
namespace {

template <typename T>
MPI_Datatype mpi_type();
template <>
MPI_Datatype mpi_type<int64_t>() {
  return MPI_INT64_T;
}
template <>
MPI_Datatype mpi_type<float>() {
  return MPI_FLOAT;
}
template <>
MPI_Datatype mpi_type<double>() {
  return MPI_DOUBLE;
}
template <>
MPI_Datatype mpi_type<char>() {
  return MPI_CHAR;
}

// A rank without MPI.
bool is_alone(MPI_Comm comm) { return comm == MPI_COMM_NULL; }

// MPI counts are ints. Control carries small data: anything longer is a mistake of the caller.
int int_count(size_t count) {
  if (count > static_cast<size_t>(std::numeric_limits<int>::max())) {
    throw std::logic_error("Control: more than 2^31 - 1 elements; use Collectives");
  }
  return static_cast<int>(count);
}

template <typename T>
void reduce(MPI_Comm comm, T* values, size_t count, MPI_Op op) {
  if (is_alone(comm)) return;
  const Awaiting awaiting("MPI_Allreduce");
  check_mpi(MPI_Allreduce(MPI_IN_PLACE, values, int_count(count), mpi_type<T>(), op, comm),
            "MPI_Allreduce");
}

template <typename T>
T reduce(MPI_Comm comm, T value, MPI_Op op) {
  reduce(comm, &value, 1, op);
  return value;
}

// The ranks' counts, in order of rank.
std::vector<int64_t> gather_counts(MPI_Comm comm, int size, size_t count) {
  std::vector<int64_t> counts(size);
  const int64_t own = static_cast<int64_t>(count);
  if (is_alone(comm)) return {own};
  const Awaiting awaiting("MPI_Allgather");
  check_mpi(MPI_Allgather(&own, 1, MPI_INT64_T, counts.data(), 1, MPI_INT64_T, comm),
            "MPI_Allgather");
  return counts;
}

template <typename T>
std::vector<T> gather_flat(MPI_Comm comm, const T* values, const std::vector<int64_t>& counts,
                           int rank) {
  if (is_alone(comm)) return {values, values + counts[0]};
  std::vector<int> lengths, starts;
  size_t total = 0;
  for (const int64_t count : counts) {
    starts.push_back(int_count(total));
    lengths.push_back(int_count(static_cast<size_t>(count)));
    total += static_cast<size_t>(count);
  }
  std::vector<T> all(int_count(total));
  const Awaiting awaiting("MPI_Allgatherv");
  check_mpi(MPI_Allgatherv(values, lengths[rank], mpi_type<T>(), all.data(), lengths.data(),
                           starts.data(), mpi_type<T>(), comm),
            "MPI_Allgatherv");
  return all;
}

template <typename T>
std::vector<T> gather_values(const Control& control, const std::vector<T>& values) {
  const auto counts = gather_counts(control.comm(), control.size(), values.size());
  return gather_flat(control.comm(), values.data(), counts, control.rank());
}

MPI_Comm duplicate(MPI_Comm comm) {
  MPI_Comm own = MPI_COMM_NULL;
  check_mpi(MPI_Comm_dup(comm, &own), "MPI_Comm_dup");
  return_errors(own);
  return own;
}

}  // namespace

Control::Control(MPI_Comm comm) : comm_(duplicate(comm)), host_(comm_) {
  check_mpi(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
}

Control::~Control() { free_communicator(comm_); }

bool Control::any(bool flag) const { return max(int64_t{flag}) != 0; }
bool Control::all(bool flag) const { return min(int64_t{flag}) != 0; }
int64_t Control::sum(int64_t value) const { return reduce(comm_, value, MPI_SUM); }
int64_t Control::min(int64_t value) const { return reduce(comm_, value, MPI_MIN); }
int64_t Control::max(int64_t value) const { return reduce(comm_, value, MPI_MAX); }
double Control::sum(double value) const { return reduce(comm_, value, MPI_SUM); }
double Control::min(double value) const { return reduce(comm_, value, MPI_MIN); }
double Control::max(double value) const { return reduce(comm_, value, MPI_MAX); }

void Control::sum(std::vector<double>& values) const {
  reduce(comm_, values.data(), values.size(), MPI_SUM);
}
void Control::max(std::vector<double>& values) const {
  reduce(comm_, values.data(), values.size(), MPI_MAX);
}

std::vector<int64_t> Control::gather(const std::vector<int64_t>& values) const {
  return gather_values(*this, values);
}
std::vector<float> Control::gather(const std::vector<float>& values) const {
  return gather_values(*this, values);
}
std::vector<double> Control::gather(const std::vector<double>& values) const {
  return gather_values(*this, values);
}

std::vector<std::string> Control::gather(const std::string& text) const {
  const auto lengths = gather_counts(comm_, size_, text.size());
  const auto all = gather_flat(comm_, text.data(), lengths, rank_);
  std::vector<std::string> texts;
  auto begin = all.begin();
  for (const int64_t length : lengths) {
    texts.emplace_back(begin, begin + length);
    begin += length;
  }
  return texts;
}

std::string Control::broadcast(const std::string& bytes) const {
  if (is_alone(comm_)) return bytes;
  int64_t size = static_cast<int64_t>(bytes.size());
  const Awaiting awaiting("MPI_Bcast");
  check_mpi(MPI_Bcast(&size, 1, MPI_INT64_T, 0, comm_), "MPI_Bcast");
  std::string result = root() ? bytes : std::string(static_cast<size_t>(size), '\0');
  check_mpi(MPI_Bcast(result.data(), int_count(result.size()), MPI_CHAR, 0, comm_), "MPI_Bcast");
  return result;
}

void Control::barrier() const {
  if (is_alone(comm_)) return;
  const Awaiting awaiting("MPI_Barrier");
  check_mpi(MPI_Barrier(comm_), "MPI_Barrier");
}

void Control::agree(const std::function<void()>& f) const {
  if (is_alone(comm_)) return f();
  kdbench::agree(Communicator(comm_), f);
}

void Control::agree_reading(const std::function<void()>& f) const {
  if (is_alone(comm_)) return f();
  kdbench::agree_reading(Communicator(comm_), f);
}

void Control::on_root(const std::function<void()>& f) const {
  agree([&] {
    if (root()) f();
  });
}

void Control::abort(const std::string& message, int exit_code) const {
  end_job(message.c_str(), static_cast<ExitCode>(exit_code));
}

MpiSession::MpiSession(int* argc, char*** argv) {
  end_job_when_nobody_catches();
  // In exit(), which HDF5 itself calls where it lacks memory, HDF5 would close its files and wait
  // for other ranks. Where all is well it does so in MPI_Finalize.
  H5dont_atexit();
  check_temporary_folder();
  // Open MPI would keep a pointer into every file that ranks share, which nothing here uses, in a
  // mapped file in TMPDIR and a semaphore in /dev/shm: a full TMPDIR kills by SIGBUS, and a rank
  // killed then leaves the semaphore taken for every later job of this host.
  constexpr int kUnlessTheUserSaysOtherwise = 0;
  // Or in a file beside it, which one rank makes: where that one cannot, the others wait for it.
  setenv("OMPI_MCA_sharedfp", "^sm,lockedfile", kUnlessTheUserSaysOtherwise);
  int provided = 0;
  check_mpi(MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  end_job_on_errors(MPI_COMM_WORLD);  // of calls that belong to no communicator, too
  if (provided < MPI_THREAD_FUNNELED) {
    MPI_Finalize();
    throw_machine_error("MPI_Init_thread", "this MPI does not allow threads beside the main one",
                        "use an MPI that provides MPI_THREAD_FUNNELED");
  }
}

MpiSession::~MpiSession() { MPI_Finalize(); }

}  // namespace kdbench
