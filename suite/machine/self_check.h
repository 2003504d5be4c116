// SPDX-License-Identifier: MIT
// Short tries of what every run needs: sums over ranks, a store that all ranks write and read, and
// matrix products. Under a second each on a healthy machine.
#pragma once

#include <vector>

#include "suite/machine/findings.h"
#include "suite/ranks/workspace.h"

namespace kdbench {

// A sum of 4 MB over all ranks: is every number right, and how long does it take? Collective.
Finding check_allreduce(const Workspace& workspace);

// An HDF5 file in workspace.out, written by all ranks together and read by each; removed again,
// with the folders made for it. Collective. A disk that fails inside HDF5 throws on its rank alone.
Finding check_store(const Workspace& workspace);

// Float32 matrix products on all ranks at once, for 0.2 s. Collective.
Finding check_gemm(const Workspace& workspace);

}  // namespace kdbench
