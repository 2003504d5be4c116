// SPDX-License-Identifier: MIT
#include "io/base/collective.h"

#include <functional>
#include <limits>
#include <new>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "io/base/doing.h"
#include "io/base/end_job.h"
#include "io/base/error.h"
#include "io/base/foreign_error.h"
#include "io/base/mpi_check.h"

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
  const Awaiting awaiting("MPI_Allgather");
  check_mpi(MPI_Allgather(&count, 1, MPI_INT64_T, wanted.data(), 1, MPI_INT64_T, ranks.comm),
            "MPI_Allgather");
  checked_count(std::accumulate(wanted.begin(), wanted.end(), int64_t{0}));
  std::vector<int> counts(wanted.begin(), wanted.end());
  const std::vector<int> starts = starts_of(counts);
  std::vector<T> all(starts.back() + counts.back());
  check_mpi(MPI_Allgatherv(mine, counts[ranks.rank], type, all.data(), counts.data(), starts.data(),
                           type, ranks.comm),
            "MPI_Allgatherv");
  if (counts_out) *counts_out = counts;
  return all;
}

int64_t reduce(const Communicator& ranks, int64_t mine, MPI_Op op) {
  const Awaiting awaiting("MPI_Allreduce");
  check_mpi(MPI_Allreduce(MPI_IN_PLACE, &mine, 1, MPI_INT64_T, op, ranks.comm), "MPI_Allreduce");
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

// together(), of any function: to make a std::function may take memory, and fail.
template <typename F>
void guard(const Communicator& ranks, const char* doing, const F& f) {
  try {
    f();
  } catch (const Error& error) {
    if (ranks.size == 1 || error.on_every_rank) throw;
    end_job(error.what(), error.code());
  } catch (const std::bad_alloc&) {
    if (ranks.size == 1) throw;
    end_job(doing, "out of memory");
  } catch (const std::exception& error) {
    if (ranks.size == 1) throw;
    end_job(doing, error.what());
  }
}

// `where`, and which rank it is.
std::string place(const std::string& where) {
  const std::string rank = rank_name();
  return rank.empty() || where.empty() ? rank + where : rank + ": " + where;
}

// A mistake in the user's files is the same on any rank; for a machine it matters which.
std::optional<Error> caught(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    if (error.code() != ExitCode::kMachine || error.on_every_rank) return error;
    return Error(error.code(), place(error.where()), error.message(), error.hint());
  } catch (const std::exception& error) {
    return as_error(error, place(""));
  }
  return std::nullopt;
}

// What the lowest rank threw, if any rank did.
std::optional<Error> first_error(const Communicator& ranks, const std::function<void()>& f) {
  const std::optional<Error> mine = caught(f);
  int first = mine ? ranks.rank : ranks.size;
  const Awaiting awaiting("MPI_Allreduce");
  check_mpi(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, ranks.comm), "MPI_Allreduce");
  if (first == ranks.size) return std::nullopt;
  // Messages may quote a file's bytes: what is no UTF-8 is replaced.
  std::string text;
  if (first == ranks.rank)
    text = to_json(*mine).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  int length = static_cast<int>(text.size());
  check_mpi(MPI_Bcast(&length, 1, MPI_INT, first, ranks.comm), "MPI_Bcast");
  text.resize(length);
  check_mpi(MPI_Bcast(text.data(), length, MPI_BYTE, first, ranks.comm), "MPI_Bcast");
  return from_json(nlohmann::json::parse(text));
}

}  // namespace

Communicator::Communicator(MPI_Comm communicator) : comm(communicator) {
  check_mpi(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(comm, &size), "MPI_Comm_size");
}

void agree(const Communicator& ranks, const std::function<void()>& f) {
  std::optional<Error> error;
  guard(ranks, "agreeing on errors", [&] { error = first_error(ranks, f); });
  if (error) throw std::move(*error);
}

void agree_reading(const Communicator& ranks, const std::function<void()>& f) {
  if (ranks.size == 1) return agree(ranks, f);
  const auto read = [&] {
    try {
      f();
    } catch (const Error& error) {
      if (!error.on_every_rank && error.code() != ExitCode::kUserInput)
        end_job(error.what(), error.code());
      throw;
    } catch (const std::bad_alloc&) {
      end_job("reading", "out of memory");
    } catch (const std::exception& error) {
      end_job("reading", error.what());
    }
  };
  agree(ranks, std::cref(read));
}

void together(const Communicator& ranks, const char* doing, const std::function<void()>& f) {
  const Doing now(doing);
  guard(ranks, doing, f);
}

std::vector<std::string> gather_all(const Communicator& ranks, const std::string& mine) {
  std::vector<std::string> all;
  guard(ranks, "gathering text", [&] {
    std::vector<int> counts;
    const std::vector<char> bytes =
        gather_values(ranks, mine.data(), static_cast<int64_t>(mine.size()), MPI_BYTE, &counts);
    auto next = bytes.begin();
    for (const int count : counts) {
      all.emplace_back(next, next + count);
      next += count;
    }
  });
  return all;
}

std::vector<int64_t> gather_all(const Communicator& ranks, const std::vector<int64_t>& mine) {
  std::vector<int64_t> all;
  guard(ranks, "gathering numbers", [&] {
    all = gather_values(ranks, mine.data(), static_cast<int64_t>(mine.size()), MPI_INT64_T);
  });
  return all;
}

std::vector<int> starts_of(const std::vector<int>& counts) {
  std::vector<int> starts(counts.size(), 0);
  std::partial_sum(counts.begin(), counts.end() - 1, starts.begin() + 1);
  return starts;
}

int64_t sum_before(const Communicator& ranks, int64_t mine) {
  int64_t before = 0;
  check_mpi(MPI_Exscan(&mine, &before, 1, MPI_INT64_T, MPI_SUM, ranks.comm), "MPI_Exscan");
  return ranks.rank == 0 ? 0 : before;
}

int64_t sum(const Communicator& ranks, int64_t mine) { return reduce(ranks, mine, MPI_SUM); }
int64_t max(const Communicator& ranks, int64_t mine) { return reduce(ranks, mine, MPI_MAX); }

}  // namespace kdbench
