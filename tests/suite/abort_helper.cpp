// SPDX-License-Identifier: MIT
// A job in which one rank fails while the others wait for it. `abort_helper abort RANK CODE`: that
// rank aborts; `abort_helper agree RANK CODE`: it throws inside agree, and all ranks leave by
// themselves with the error's code.
#include <cstdlib>
#include <iostream>
#include <string>

#include "io/base/error.h"
#include "suite/ranks/control.h"

int main(int argc, char** argv) {
  const kdbench::MpiSession session(&argc, &argv);
  const kdbench::Control control(MPI_COMM_WORLD);
  const bool failing = control.rank() == std::atoi(argv[2]);
  const int code = std::atoi(argv[3]);
  if (std::string(argv[1]) == "abort") {
    if (failing) control.abort("the disk is full", code);
    control.barrier();  // never complete
    return 0;
  }
  try {
    control.agree([&] {
      if (failing) throw kdbench::Error(static_cast<kdbench::ExitCode>(code), "here", "went wrong");
    });
  } catch (const kdbench::Error& error) {
    if (control.root()) std::cerr << error.what() << "\n";
    return static_cast<int>(error.code());
  }
  return 0;
}
