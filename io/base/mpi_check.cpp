// SPDX-License-Identifier: MIT
#include "io/base/mpi_check.h"

#include <cstdio>
#include <exception>

#include "io/base/end_job.h"

namespace kdbench {

void check_mpi(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char reason[MPI_MAX_ERROR_STRING], message[MPI_MAX_ERROR_STRING + 128];
  int length = 0;
  if (MPI_Error_string(code, reason, &length) != MPI_SUCCESS) {
    std::snprintf(reason, sizeof reason, "error %d", code);
  }
  std::snprintf(message, sizeof message, "%s: %s", call, reason);
  end_job(message, ExitCode::kMachine);
}

void return_errors(MPI_Comm comm) {
  check_mpi(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
}

void free_communicator(MPI_Comm& comm) {
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (!finalized && comm != MPI_COMM_NULL && std::uncaught_exceptions() == 0) MPI_Comm_free(&comm);
}

}  // namespace kdbench
