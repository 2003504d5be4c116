// SPDX-License-Identifier: MIT
// The ranks of one host, which read together what they hold in memory together (host_array.h): one
// of them reads, and the others map its memory. Not a window of MPI: those lie on /dev/shm, of
// which a container may have 64 MB, and to free one is collective, which no destructor can be.
#pragma once

#include <mpi.h>

#include <functional>
#include <string>
#include <vector>

#include "io/base/host_memory.h"

namespace kdbench {

class HostMessage;

class HostRanks {
 public:
  // This rank alone, whoever else is on the host: nothing below is then collective or needs MPI.
  HostRanks() = default;
  // The ranks of `comm` on this rank's host. Collective over `comm`; throws nothing: ranks that
  // cannot map each other's memory (obstacle() says why) hold a copy each.
  explicit HostRanks(MPI_Comm comm);
  ~HostRanks();
  HostRanks(const HostRanks&) = delete;
  HostRanks& operator=(const HostRanks&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  // More than one rank, and one copy in memory for all of them.
  bool share() const { return share_; }
  // How many copies of what they read lie in the host's memory.
  int copies() const { return share_ ? 1 : size_; }
  // Why they do not share, though there is more than one rank; else empty.
  const std::string& obstacle() const { return obstacle_; }
  // Reads for itself: the first of those that share, otherwise every rank.
  bool reads() const { return !share_ || rank_ == 0; }

  // Runs `f`; what it throws on one rank of the host is thrown on all. Collective over the host.
  void agree(const std::function<void()>& f) const;
  // What `read` returns, read by one rank of the host. `travel(message, value)` names all parts of
  // a T, arrays by HostArray<T>::filled(host, ...). Errors come on every rank of the host.
  // Collective over the host.
  template <typename T>
  T read_once(const std::function<T()>& read) const {
    T value;
    together([&] {
      agree([&] {
        if (reads()) value = read();
      });
      if (share_) pass_on([&](HostMessage& message) { travel(message, value); });
    });
    return value;
  }

 private:
  void together(const std::function<void()>& f) const;
  void pass_on(const std::function<void(HostMessage&)>& travel) const;
  std::string try_sharing() const;

  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  bool share_ = false;
  std::string obstacle_;
};

}  // namespace kdbench
