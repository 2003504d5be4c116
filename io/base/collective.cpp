// SPDX-License-Identifier: MIT
#include "io/base/collective.h"

#include <fmt/core.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "io/base/error.h"
#include "io/base/foreign_error.h"

namespace kdbench {
namespace {

// Bytes travel in counts of int.
int checked_count(int64_t count) {
  if (count > std::numeric_limits<int>::max()) {
    throw_machine_error("MPI", "a message of " + std::to_string(count) + " elements is too long");
  }
  return static_cast<int>(count);
}

template <typename T>
std::vector<T> gather_values(const Communicator& ranks, const T* mine, int64_t count,
                             MPI_Datatype type, std::vector<int>* counts_out = nullptr) {
  std::vector<int64_t> wanted(ranks.size);
  MPI_Allgather(&count, 1, MPI_INT64_T, wanted.data(), 1, MPI_INT64_T, ranks.comm);
  checked_count(std::accumulate(wanted.begin(), wanted.end(), int64_t{0}));
  std::vector<int> counts(wanted.begin(), wanted.end());
  const std::vector<int> starts = starts_of(counts);
  std::vector<T> all(starts.back() + counts.back());
  MPI_Allgatherv(mine, counts[ranks.rank], type, all.data(), counts.data(), starts.data(), type,
                 ranks.comm);
  if (counts_out) *counts_out = counts;
  return all;
}

int64_t reduce(const Communicator& ranks, int64_t mine, MPI_Op op) {
  MPI_Allreduce(MPI_IN_PLACE, &mine, 1, MPI_INT64_T, op, ranks.comm);
  return mine;
}

nlohmann::json to_json(const Error& error) {
  return {static_cast<int>(error.code()), error.where(), error.message(), error.hint()};
}

Error from_json(const nlohmann::json& json) {
  Error error(static_cast<ExitCode>(json[0].get<int>()), json[1].get<std::string>(),
              json[2].get<std::string>(), json[3].get<std::string>());
  error.on_every_rank = true;
  return error;
}

std::optional<Error> caught(const Communicator& ranks, const std::function<void()>& f) {
  try {
    f();
  } catch (const std::exception& error) {
    const bool alone = ranks.size == 1;
    return as_error(error, alone ? "" : fmt::format("rank {} of {}", ranks.rank, ranks.size));
  }
  return std::nullopt;
}

}  // namespace

Communicator::Communicator(MPI_Comm communicator) : comm(communicator) {
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
}

void agree(const Communicator& ranks, const std::function<void()>& f) {
  const std::optional<Error> mine = caught(ranks, f);
  int first = mine ? ranks.rank : ranks.size;
  MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, ranks.comm);
  if (first == ranks.size) return;
  // Messages may quote a file's bytes: what is no UTF-8 is replaced.
  std::string text;
  if (first == ranks.rank)
    text = to_json(*mine).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  int length = static_cast<int>(text.size());
  MPI_Bcast(&length, 1, MPI_INT, first, ranks.comm);
  text.resize(length);
  MPI_Bcast(text.data(), length, MPI_BYTE, first, ranks.comm);
  throw from_json(nlohmann::json::parse(text));
}

std::vector<std::string> gather_all(const Communicator& ranks, const std::string& mine) {
  std::vector<int> counts;
  const std::vector<char> bytes =
      gather_values(ranks, mine.data(), static_cast<int64_t>(mine.size()), MPI_BYTE, &counts);
  std::vector<std::string> all;
  auto next = bytes.begin();
  for (const int count : counts) {
    all.emplace_back(next, next + count);
    next += count;
  }
  return all;
}

std::vector<int64_t> gather_all(const Communicator& ranks, const std::vector<int64_t>& mine) {
  return gather_values(ranks, mine.data(), static_cast<int64_t>(mine.size()), MPI_INT64_T);
}

std::vector<int> starts_of(const std::vector<int>& counts) {
  std::vector<int> starts(counts.size(), 0);
  std::partial_sum(counts.begin(), counts.end() - 1, starts.begin() + 1);
  return starts;
}

int64_t sum_before(const Communicator& ranks, int64_t mine) {
  int64_t before = 0;
  MPI_Exscan(&mine, &before, 1, MPI_INT64_T, MPI_SUM, ranks.comm);
  return ranks.rank == 0 ? 0 : before;
}

int64_t sum(const Communicator& ranks, int64_t mine) { return reduce(ranks, mine, MPI_SUM); }
int64_t max(const Communicator& ranks, int64_t mine) { return reduce(ranks, mine, MPI_MAX); }

}  // namespace kdbench
