// SPDX-License-Identifier: MIT
// A job whose ranks watch each other, and one that never comes to the others' barrier.
// `watchdog_helper loop RANK`: it works without end; `stop RANK`: it is stopped (SIGSTOP);
// `late RANK`: it comes late, but does one thing after the other meanwhile.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

#include "io/base/doing.h"
#include "suite/ranks/watchdog.h"

namespace {

constexpr std::chrono::seconds kPatience{2};

void work(const std::string& how) {
  if (how == "stop") std::raise(SIGSTOP);
  for (volatile int count = 0; how == "loop";) count = count + 1;
  for (int i = 0; i < 50; ++i) {
    const kdbench::Doing doing("counting");
    std::this_thread::sleep_for(kPatience / 25);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const kdbench::MpiSession session(&argc, &argv);
  const kdbench::Control control(MPI_COMM_WORLD);
  const kdbench::Watchdog watchdog(control, kPatience);
  if (!watchdog.obstacle().empty()) {
    std::cerr << watchdog.obstacle() << "\n";
    return 1;
  }
  const kdbench::Doing doing("counting sheep");
  std::this_thread::sleep_for(std::chrono::milliseconds(600));  // until the others have heard of it
  if (control.rank() == std::atoi(argv[2])) work(argv[1]);
  control.barrier();
  return 0;
}
