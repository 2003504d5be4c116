// SPDX-License-Identifier: MIT
// A device of its own beside the CPU, for tests of what must run on any device: its tensors lie in
// memory that nobody can touch but its own copies and operations, which the CPU carries out. Code
// that takes a tensor's pointer for the host's memory ends with a signal, as it would on a GPU
// (where that may also go unnoticed). Backward passes run on a thread of their own, as there.
#pragma once

#include <ATen/ATen.h>

#include <memory>

#include "suite/ranks/collectives.h"

namespace kdbench::testing {

// Registers the device at the first call. Local.
at::Device far_device();
// Collectives on its tensors, through those of the host's memory.
std::unique_ptr<Collectives> make_far_collectives(std::unique_ptr<Collectives> host);

}  // namespace kdbench::testing
