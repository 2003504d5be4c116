// SPDX-License-Identifier: MIT
// Host-side agreement between ranks, by MPI (a single process is a world of one rank); small
// data only: tensors go through Collectives. Every member function except rank(), size() and
// abort() is collective.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "io/base/host_ranks.h"

namespace kdbench {

class Control {
 public:
  // One rank without MPI.
  Control() = default;
  // `comm` is duplicated, so that its messages never meet the tensors'.
  explicit Control(MPI_Comm comm);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool root() const { return rank_ == 0; }
  MPI_Comm comm() const { return comm_; }
  // Ranks on this rank's host, and this rank's number among them.
  int local_rank() const { return host_.rank(); }
  int local_size() const { return host_.size(); }
  // For readers that hold one copy of what they read for all of them.
  const HostRanks& host() const { return host_; }

  bool any(bool flag) const;
  bool all(bool flag) const;
  int64_t sum(int64_t value) const;
  int64_t min(int64_t value) const;
  int64_t max(int64_t value) const;
  double sum(double value) const;
  double min(double value) const;
  double max(double value) const;
  // Element-wise over ranks, in place; equal lengths on all ranks.
  void sum(std::vector<double>& values) const;
  void max(std::vector<double>& values) const;

  // All ranks' rows in order of rank, on every rank. Lengths may differ, also 0.
  std::vector<int64_t> gather(const std::vector<int64_t>& values) const;
  std::vector<float> gather(const std::vector<float>& values) const;
  std::vector<double> gather(const std::vector<double>& values) const;
  std::vector<std::string> gather(const std::string& text) const;
  // Root's bytes on every rank.
  std::string broadcast(const std::string& bytes) const;
  void barrier() const;

  // Runs `f` on every rank; if it throws an Error anywhere, every rank throws the error of the
  // lowest such rank, marked on_every_rank, so that all leave together. Other exceptions become
  // machine errors. `f` must not be collective.
  void agree(const std::function<void()>& f) const;
  // The same of an `f` that reads together with the ranks of its host(), see agree_reading in
  // collective.h.
  void agree_reading(const std::function<void()>& f) const;
  // Runs `f` on the root alone, under the same rule.
  void on_root(const std::function<void()>& f) const;

  // Ends all ranks with one message; see end_job. Does not return.
  [[noreturn]] void abort(const std::string& message, int exit_code) const;

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
  HostRanks host_;
  int rank_ = 0, size_ = 1;
};

// MPI_Init_thread(FUNNELED) and MPI_Finalize as an object; a thrown exception must not outlive it
// (main catches inside). Throws a machine error where MPI cannot start. From then on what nobody
// catches ends the job (end_job).
class MpiSession {
 public:
  MpiSession(int* argc, char*** argv);
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
};

}  // namespace kdbench
