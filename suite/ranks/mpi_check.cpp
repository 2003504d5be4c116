// SPDX-License-Identifier: MIT
#include "suite/ranks/mpi_check.h"

#include <string>

#include "io/base/error.h"

namespace kdbench {

void check_mpi(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  if (MPI_Error_string(code, text, &length) != MPI_SUCCESS) length = 0;
  throw_machine_error(call,
                      length > 0 ? std::string(text, length) : "error " + std::to_string(code));
}

void return_errors(MPI_Comm comm) {
  check_mpi(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
}

void free_communicator(MPI_Comm& comm) {
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (!finalized && comm != MPI_COMM_NULL) MPI_Comm_free(&comm);
}

}  // namespace kdbench
