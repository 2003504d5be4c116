// SPDX-License-Identifier: MIT
// Takes no memory: that there is none may be the reason.
#include "io/base/end_job.h"

#include <mpi.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <thread>

namespace kdbench {
namespace {

constexpr int kTag = 31'000;                          // "I fail", on the world's communicator
constexpr std::chrono::milliseconds kListening{200};  // for reports of lower ranks
constexpr std::chrono::seconds kPatience{10};         // until a lower rank has ended this one

// This rank among all of the job; alone where MPI is not running.
struct Place {
  int rank = 0, size = 1;
  bool running = false;

  Place() {
    int begun = 0, over = 0;
    MPI_Initialized(&begun);
    MPI_Finalized(&over);
    running = begun && !over;
    if (!running) return;
    if (MPI_Comm_rank(MPI_COMM_WORLD, &rank) != MPI_SUCCESS) rank = 0;
    if (MPI_Comm_size(MPI_COMM_WORLD, &size) != MPI_SUCCESS) size = 1;
  }
};

bool ending = false;

bool lower_rank_reports(const Place& me) {
  int arrived = 0;
  MPI_Status status;
  do {
    const int code = MPI_Iprobe(MPI_ANY_SOURCE, kTag, MPI_COMM_WORLD, &arrived, &status);
    if (code != MPI_SUCCESS || !arrived) return false;
    MPI_Recv(nullptr, 0, MPI_BYTE, status.MPI_SOURCE, kTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  } while (status.MPI_SOURCE > me.rank);
  return true;
}

// Tells the higher ranks that this one fails, and hears for a while whether a lower one does.
bool another_speaks(const Place& me) {
  int main_thread = 0;
  if (!me.running || me.size == 1) return false;
  if (MPI_Is_thread_main(&main_thread) != MPI_SUCCESS || !main_thread) return false;
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  for (int rank = me.rank + 1; rank < me.size; ++rank) {
    MPI_Request sent;  // never waited for: nothing comes after this
    MPI_Isend(nullptr, 0, MPI_BYTE, rank, kTag, MPI_COMM_WORLD, &sent);
  }
  const auto end = std::chrono::steady_clock::now() + kListening;
  do {
    if (lower_rank_reports(me)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

void say(const Place& me, const char* message) {
  char host[256] = "?", line[8192];
  gethostname(host, sizeof host - 1);
  const int length = std::snprintf(line, sizeof line, "kdbench: rank %d of %d on %s: %s\n", me.rank,
                                   me.size, host, message);
  if (length >= static_cast<int>(sizeof line)) line[sizeof line - 2] = '\n';
  std::fflush(stdout);
  std::fputs(line, stderr);  // one write: lines of ranks do not mix
  std::fflush(stderr);
}

[[noreturn]] void end_uncaught() {
  try {
    if (const auto error = std::current_exception()) std::rethrow_exception(error);
  } catch (const Error& error) {
    end_job(error.what(), error.code());
  } catch (const std::bad_alloc&) {
    end_job("out of memory", ExitCode::kMachine);
  } catch (const std::exception& error) {
    end_job(error.what(), ExitCode::kMachine);
  } catch (...) {
  }
  end_job("ended without a reason", ExitCode::kMachine);
}

// HDF5 calls exit() where it lacks memory for its own lists. A program that is done is done with
// MPI too.
void end_exiting() {
  if (!ending && Place().running)
    end_job("a library ended the program: out of memory?", ExitCode::kMachine);
}

}  // namespace

std::string rank_name() {
  const Place me;
  if (me.size == 1) return "";
  return "rank " + std::to_string(me.rank) + " of " + std::to_string(me.size);
}

void end_job(const char* message, ExitCode code) {
  const Place me;
  ending = true;
  if (another_speaks(me)) {
    std::this_thread::sleep_for(kPatience);
  } else {
    say(me, message);
  }
  if (me.running) MPI_Abort(MPI_COMM_WORLD, static_cast<int>(code));
  std::_Exit(static_cast<int>(code));
}

void end_job(const char* doing, const char* what) {
  char message[4096];
  std::snprintf(message, sizeof message, "%s%s%s", doing, *doing ? ": " : "", what);
  end_job(message, ExitCode::kMachine);
}

void end_job_when_nobody_catches() {
  std::set_terminate(end_uncaught);
  std::atexit(end_exiting);
}

}  // namespace kdbench
