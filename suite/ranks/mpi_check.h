// SPDX-License-Identifier: MIT
// MPI calls that fail become machine errors with MPI's own text.
#pragma once

#include <mpi.h>

namespace kdbench {

// `call` names the MPI function. Only for communicators whose errors are returned (return_errors).
void check_mpi(int code, const char* call);

// Makes MPI return the errors of `comm` instead of ending the process without our message.
void return_errors(MPI_Comm comm);

// Frees a communicator of ours at the end of its object's life; does nothing once MPI is finalized.
void free_communicator(MPI_Comm& comm);

}  // namespace kdbench
