// SPDX-License-Identifier: MIT
// The device that tests of "any device" compute on: with KDBENCH_TEST_DEVICE=cuda in the
// environment this rank's GPU, else the far device (far_device.h).
#pragma once

#include <cstdlib>
#include <string_view>

#include "suite/machine/device.h"
#include "suite/ranks/collectives.h"
#include "tests/support/far_device.h"
#include "tests/support/parity_case.h"

namespace kdbench::testing {

inline bool tests_gpus() {
  const char* device = std::getenv("KDBENCH_TEST_DEVICE");
  return device && std::string_view(device) == "cuda";
}

// Why there is nothing to test on; "" if there is.
inline std::string no_other_device() {
  return tests_gpus() && visible_gpus().empty() ? "no GPU is visible here" : "";
}

// Collective. Of one rank, too, with collectives that move something.
inline CasePlace other_device(const Control& control) {
#ifdef KDBENCH_CUDA
  if (tests_gpus()) {
    const at::Device device = choose_device(control, "cuda");
    return {device, make_paired_collectives(make_nccl_collectives(control, device),
                                            make_mpi_collectives(control))};
  }
#endif
  return {far_device(), make_paired_collectives(make_far_collectives(make_mpi_collectives(control)),
                                                make_mpi_collectives(control))};
}

}  // namespace kdbench::testing
