// SPDX-License-Identifier: MIT
// A job in which one rank fails while the others wait for it. `abort_helper abort RANK CODE`: that
// rank aborts; `abort_helper agree RANK CODE`: it throws inside agree, and all ranks leave by
// themselves with the error's code; `abort_helper read RANK CODE`: it throws before it reads with
// the ranks of its host, a lack of memory for CODE 0, else an error that all throw; `abort_helper
// hdf5 RANK FOLDER`: HDF5 notes there that it lacks memory, and goes on, while a store is written.
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <new>
#include <string>

#include "io/base/collective.h"
#include "io/base/error.h"
#include "io/hdf5/hdf5.h"
#include "suite/ranks/control.h"

namespace {

using kdbench::Control, kdbench::Error, kdbench::ExitCode;

void read_with_host(const Control& control, bool failing, int code) {
  control.agree_reading([&] {
    if (code != 0) throw Error(static_cast<ExitCode>(code), "here", "went wrong");
    if (failing) throw std::bad_alloc();
    control.host().agree([] {});  // where the others wait
  });
}

void lack_memory_in_hdf5(const Control& control, bool failing, const char* folder) {
  const kdbench::Communicator ranks(control.comm());
  kdbench::together(ranks, "writing a store", [&] {
    const auto file = kdbench::hdf5::File::create_parallel(
        std::filesystem::path(folder) / "file.h5", ranks.comm, 0);
    if (failing) {
      H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_RESOURCE, H5E_NOSPACE,
               "memory allocation failed");
      MPI_Allreduce(MPI_IN_PLACE, nullptr, 0, MPI_INT, MPI_MIN, ranks.comm);
    }
    MPI_Barrier(ranks.comm);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const kdbench::MpiSession session(&argc, &argv);
  const Control control(MPI_COMM_WORLD);
  const bool failing = control.rank() == std::atoi(argv[2]);
  const int code = std::atoi(argv[3]);
  if (std::string(argv[1]) == "hdf5") {
    lack_memory_in_hdf5(control, failing, argv[3]);
    return 0;
  }
  if (std::string(argv[1]) == "abort") {
    if (failing) control.abort("the disk is full", code);
    control.barrier();  // never complete
    return 0;
  }
  try {
    if (std::string(argv[1]) == "read") read_with_host(control, failing, code);
    control.agree([&] {
      if (failing) throw Error(static_cast<ExitCode>(code), "here", "went wrong");
    });
  } catch (const Error& error) {
    if (control.root()) std::cerr << error.what() << "\n";
    return static_cast<int>(error.code());
  }
  return 0;
}
