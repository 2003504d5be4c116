// SPDX-License-Identifier: MIT
// Short tries of what every run needs: sums over ranks, a store that all ranks write and read, and
// matrix products. Under a second each on a healthy machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "suite/machine/findings.h"
#include "suite/ranks/workspace.h"

namespace kdbench {

// A sum over all ranks, of 4 MB unless said otherwise: is every number right, and how long does it
// take? Collective.
Finding check_allreduce(const Workspace& workspace, int64_t floats = int64_t{1} << 20);

// Whether all ranks run the same program with the same libraries, by the build ids of what is
// loaded. Broken where the program itself, LibTorch or MPI differ; a note where others do.
// Collective.
Finding check_program(const Control& control);

// What every run looks at before it works, in less than half a second: how it was launched, the
// program, a small sum. Those that are not good. Collective; the same on all ranks.
std::vector<Finding> start_checks(const Workspace& workspace);

// Throws a machine error on every rank unless `value` is the same on all: "rank 2 (node3) has
// another `what` than rank 0". Collective.
void require_same(const Control& control, const std::string& value, const std::string& where,
                  const std::string& what, const std::string& hint);

// An HDF5 file in workspace.out, written by all ranks together and read by each; removed again,
// with the folders made for it. Collective. A disk that fails inside HDF5 throws on its rank alone.
Finding check_store(const Workspace& workspace);

// Float32 matrix products on all ranks at once, for 0.2 s. Collective.
Finding check_gemm(const Workspace& workspace);

}  // namespace kdbench
