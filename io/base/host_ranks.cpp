// SPDX-License-Identifier: MIT
#include "io/base/host_ranks.h"

#include "io/base/collective.h"
#include "io/base/error.h"
#include "io/base/host_message.h"
#include "io/base/mpi_check.h"

namespace kdbench {
namespace {

// What is sent to try whether ranks share memory.
struct Sample {
  HostArray<int64_t> values;
};
void travel(HostMessage& message, Sample& sample) { message(sample.values); }

// Root's bytes.
std::string broadcast(MPI_Comm comm, std::string bytes) {
  auto size = static_cast<int64_t>(bytes.size());
  check_mpi(MPI_Bcast(&size, 1, MPI_INT64_T, 0, comm), "MPI_Bcast");
  bytes.resize(static_cast<size_t>(size));
  check_mpi(MPI_Bcast(bytes.data(), static_cast<int>(size), MPI_BYTE, 0, comm), "MPI_Bcast");
  return bytes;
}

}  // namespace

HostRanks::HostRanks(MPI_Comm comm) {
  int rank = 0;
  check_mpi(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
  check_mpi(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &comm_),
            "MPI_Comm_split_type");
  return_errors(comm_);
  check_mpi(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
  if (size_ == 1) return;
  share_ = true;
  obstacle_ = try_sharing();
  share_ = obstacle_.empty();
}

HostRanks::~HostRanks() {
  if (comm_ != MPI_COMM_NULL) free_communicator(comm_);
}

std::string HostRanks::try_sharing() const {
  constexpr int64_t kValue = 20'260'101;
  try {
    const auto sample = read_once<Sample>([&]() -> Sample {
      return {HostArray<int64_t>::filled(*this, 1, [&](int64_t* value) { *value = kValue; })};
    });
    agree([&] {
      if (sample.values.front() != kValue) throw_machine_error("memory of this host", "is not one");
    });
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

void HostRanks::agree(const std::function<void()>& f) const {
  if (size_ == 1) return f();
  kdbench::agree(Communicator(comm_), f);
}

void HostRanks::together(const std::function<void()>& f) const {
  if (size_ == 1) return f();
  kdbench::together(Communicator(comm_), "reading for all ranks of this host", f);
}

void HostRanks::pass_on(const std::function<void(HostMessage&)>& travel) const {
  HostMessage sent;
  agree([&] {
    if (rank_ == 0) travel(sent);
  });
  const std::string text = broadcast(comm_, rank_ == 0 ? sent.text() : "");
  agree([&] {
    if (rank_ == 0) return;
    HostMessage received(text);
    travel(received);
  });
  sent.stop_sharing();
}

}  // namespace kdbench
