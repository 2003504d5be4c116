// SPDX-License-Identifier: MIT
#include "io/base/mpi_check.h"

#include <cstdio>
#include <exception>

#include "io/base/doing.h"
#include "io/base/end_job.h"

namespace kdbench {

namespace {

constexpr int kTextBytes = 4096;

void check(int code, const char* call, const char* hint) {
  if (code == MPI_SUCCESS) return;
  char reason[MPI_MAX_ERROR_STRING], message[kTextBytes];
  int length = 0;
  if (MPI_Error_string(code, reason, &length) != MPI_SUCCESS) {
    std::snprintf(reason, sizeof reason, "error %d", code);
  }
  const char* doing = Doing::now();
  std::snprintf(message, sizeof message, "%s%s%s: %s%s", doing, *doing ? ": " : "", call, reason,
                hint);
  end_job(message, ExitCode::kMachine);
}

constexpr const char* kInLibrary = "MPI, called by a library";

void on_comm_error(MPI_Comm*, int* code, ...) { check(*code, kInLibrary, ""); }
void on_file_error(MPI_File*, int* code, ...) {
  check(*code, kInLibrary, " (is there enough space on the disk?)");
}

}  // namespace

void check_mpi(int code, const char* call) { check(code, call, ""); }

void return_errors(MPI_Comm comm) {
  check_mpi(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
}

void end_job_on_errors(MPI_Comm comm) {
  static const MPI_Errhandler handler = [] {
    MPI_Errhandler made = MPI_ERRHANDLER_NULL;
    check_mpi(MPI_Comm_create_errhandler(on_comm_error, &made), "MPI_Comm_create_errhandler");
    return made;
  }();
  check_mpi(MPI_Comm_set_errhandler(comm, handler), "MPI_Comm_set_errhandler");
}

void end_job_on_errors(MPI_File file) {
  static const MPI_Errhandler handler = [] {
    MPI_Errhandler made = MPI_ERRHANDLER_NULL;
    check_mpi(MPI_File_create_errhandler(on_file_error, &made), "MPI_File_create_errhandler");
    return made;
  }();
  check_mpi(MPI_File_set_errhandler(file, handler), "MPI_File_set_errhandler");
}

void free_communicator(MPI_Comm& comm) {
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (!finalized && comm != MPI_COMM_NULL && std::uncaught_exceptions() == 0) MPI_Comm_free(&comm);
}

}  // namespace kdbench
