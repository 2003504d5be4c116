// SPDX-License-Identifier: MIT
// Calls of MPI that fail end the job: what the other ranks wait for cannot be known any more.
#pragma once

#include <mpi.h>

namespace kdbench {

// `call` names the MPI function and stands in the message, with what this rank does (Doing) and
// MPI's own text. Local; when `code` says that the call failed it does not return (end_job). Only
// for communicators whose errors are returned (return_errors).
void check_mpi(int code, const char* call);

// Makes MPI return the errors of `comm` instead of ending the process without our message.
void return_errors(MPI_Comm comm);

// Makes errors of a communicator, or of a file, that a library calls MPI with end the job: HDF5
// goes on after some, out of step with the other ranks. Communicators made from this one inherit
// it.
void end_job_on_errors(MPI_Comm comm);
void end_job_on_errors(MPI_File file);

// Frees a communicator of ours at the end of its object's life; does nothing once MPI is finalized,
// nor while an exception passes: other ranks may not free theirs then.
void free_communicator(MPI_Comm& comm);

}  // namespace kdbench
