// SPDX-License-Identifier: MIT
// What the collective writers of the stores share: agreeing on errors, so that no rank waits for
// one that threw, and on small values. Every function here is collective over `comm`. None throws
// on one rank alone: what fails in a call of MPI or between two of them ends the job (end_job).
#pragma once

#include <mpi.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace kdbench {

struct Communicator {
  explicit Communicator(MPI_Comm comm);  // local
  MPI_Comm comm;
  int rank = 0;
  int size = 1;
};

// Runs `f` on every rank. If it throws on any of them, the error of the lowest such rank is thrown
// on all (with on_every_rank set); a machine error names that rank. `f` must not be collective.
void agree(const Communicator& ranks, const std::function<void()>& f);

// agree() of an `f` that reads together with the ranks of its host (HostRanks) and is collective
// among these: what each of them throws alike, and the user's mistakes, which are the same for all,
// are agreed on. What one rank alone may meet, such as a lack of memory, ends the job: the others
// of its host may wait for it within `f`.
void agree_reading(const Communicator& ranks, const std::function<void()>& f);

// Runs `f`, which is collective. What every rank throws alike (on_every_rank) passes; after
// anything else the others would wait for this rank, so the job ends here: `doing` is for the
// message. Of what `f` makes, nothing may wait for other ranks when it is destroyed by an
// exception. A rank that is alone throws.
void together(const Communicator& ranks, const char* doing, const std::function<void()>& f);

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
