// SPDX-License-Identifier: MIT
// What the collective writers of the stores share: agreeing on errors, so that no rank waits for
// one that threw, and on small values. Every function here is collective over `comm`.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace kdbench {

struct Communicator {
  explicit Communicator(MPI_Comm comm);
  MPI_Comm comm;
  int rank = 0;
  int size = 1;
};

// Runs `f` on every rank. If it throws on any of them, the error of the lowest such rank is thrown
// on all (with on_every_rank set). `f` must not throw on one rank between two collective calls of
// its own.
void agree(const Communicator& ranks, const std::function<void()>& f);

// The bytes of every rank, in rank order.
std::vector<std::string> gather_all(const Communicator& ranks, const std::string& mine);
// All ranks' values, one rank after another.
std::vector<int64_t> gather_all(const Communicator& ranks, const std::vector<int64_t>& mine);

// Local: where each rank's part begins in a concatenation of parts of these lengths.
std::vector<int> starts_of(const std::vector<int>& counts);

int64_t sum_before(const Communicator& ranks, int64_t mine);  // over the lower ranks
int64_t sum(const Communicator& ranks, int64_t mine);
int64_t max(const Communicator& ranks, int64_t mine);

}  // namespace kdbench
