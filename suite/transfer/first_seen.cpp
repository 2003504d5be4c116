// SPDX-License-Identifier: MIT
// Hashes go to their owners in the order of ranks, and answers come back the same way: so whatever
// the number of ranks, of equal texts the same one is the first.
#include "suite/transfer/first_seen.h"

#include <mpi.h>

#include <numeric>

#include "io/base/collective.h"
#include "io/base/mpi_check.h"

namespace kdbench {
namespace {

constexpr int kWords = sizeof(TextHash128) / sizeof(uint64_t);

int sum_of(const std::vector<int>& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0);
}

std::vector<int> times(std::vector<int> counts, int factor) {
  for (int& count : counts) count *= factor;
  return counts;
}

}  // namespace

std::vector<char> FirstSeen::inserted(const std::vector<TextHash128>& hashes) {
  std::vector<char> first(hashes.size());
  for (size_t i = 0; i < hashes.size(); ++i) first[i] = owned_.insert(hashes[i]);
  return first;
}

std::vector<char> FirstSeen::first_of_ranks(const std::vector<TextHash128>& hashes) {
  const auto ranks = static_cast<size_t>(control_.size());
  const auto owner = [&](const TextHash128& hash) { return hash.low % ranks; };
  std::vector<int> sent(ranks), received(ranks);
  for (const auto& hash : hashes) ++sent[owner(hash)];
  check_mpi(MPI_Alltoall(sent.data(), 1, MPI_INT, received.data(), 1, MPI_INT, control_.comm()),
            "MPI_Alltoall");
  const std::vector<int> sent_from = starts_of(sent), received_from = starts_of(received);
  std::vector<int> next = sent_from, place(hashes.size());
  std::vector<TextHash128> out(hashes.size()), in(static_cast<size_t>(sum_of(received)));
  for (size_t i = 0; i < hashes.size(); ++i) {
    place[i] = next[owner(hashes[i])]++;
    out[static_cast<size_t>(place[i])] = hashes[i];
  }
  check_mpi(MPI_Alltoallv(out.data(), times(sent, kWords).data(), times(sent_from, kWords).data(),
                          MPI_UINT64_T, in.data(), times(received, kWords).data(),
                          times(received_from, kWords).data(), MPI_UINT64_T, control_.comm()),
            "MPI_Alltoallv");
  const std::vector<char> answers = inserted(in);
  std::vector<char> back(hashes.size()), first(hashes.size());
  check_mpi(MPI_Alltoallv(answers.data(), received.data(), received_from.data(), MPI_BYTE,
                          back.data(), sent.data(), sent_from.data(), MPI_BYTE, control_.comm()),
            "MPI_Alltoallv");
  for (size_t i = 0; i < hashes.size(); ++i) first[i] = back[static_cast<size_t>(place[i])];
  return first;
}

std::vector<char> FirstSeen::first(const std::vector<TextHash128>& hashes) {
  if (control_.size() == 1) return inserted(hashes);
  std::vector<char> first;
  together(Communicator(control_.comm()), "looking for equal texts",
           [&] { first = first_of_ranks(hashes); });
  return first;
}

}  // namespace kdbench
