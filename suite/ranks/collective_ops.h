// SPDX-License-Identifier: MIT
// Collective operations, whichever library carries them out: their names, what they ask of tensors.
#pragma once

#include <string>
#include <vector>

#include "suite/ranks/collectives.h"

namespace kdbench {

// "allreduce", "broadcast", "allgather".
const std::string& operation_name(CollectiveOp::Kind kind);

// Throws std::logic_error, beginning with `library`, unless there is one tensor for each of `size`
// ranks, all of rows like `rows`, and that of this rank has as many. Local.
void check_gathered_rows(const std::string& library, const at::Tensor& rows,
                         const std::vector<at::Tensor>& gathered, int rank, int size);

}  // namespace kdbench
