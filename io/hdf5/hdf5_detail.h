// SPDX-License-Identifier: MIT
// Messages of HDF5's errors, for the implementation files of hdf5.h only.
#pragma once

#include <string>

#include "io/hdf5/hdf5.h"

namespace kdbench::hdf5 {

// Or, while a file is written, of space in it: HDF5 has the same words for both.
inline bool is_lack_of_memory(const H5E_error2_t& error) {
  return error.maj_num == H5E_RESOURCE || error.min_num == H5E_NOSPACE ||
         error.min_num == H5E_CANTALLOC;
}

// Throws std::bad_alloc for an invalid identifier of what HDF5 makes in memory alone, and for the
// code of a call that failed there.
hid_t in_memory(hid_t id);

// Throws a machine error when the file is being written, a user error when it is read. `object` may
// be empty.
[[noreturn]] void fail_in(const Context& context, const std::string& object,
                          const std::string& what);
// The same with HDF5's own words behind it, which just failed. What it cannot read for want of
// memory is a machine error too, unless the file is not what was written (its seal is broken): a
// damaged size may ask for any memory.
[[noreturn]] void fail_inside(const Context& context, const std::string& object,
                              const std::string& what);

}  // namespace kdbench::hdf5
