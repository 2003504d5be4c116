// SPDX-License-Identifier: MIT
// Messages of HDF5's errors, for the implementation files of hdf5.h only.
#pragma once

#include <string>

#include "io/hdf5/hdf5.h"

namespace kdbench::hdf5 {

// HDF5's own words, from the innermost error outwards; empties its stack.
std::string error_stack();

// Throws a machine error when the file is being written, a user error when it is read. `object` may
// be empty.
[[noreturn]] void fail_in(const Context& context, const std::string& object,
                          const std::string& what);

}  // namespace kdbench::hdf5
