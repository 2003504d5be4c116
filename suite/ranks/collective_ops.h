// SPDX-License-Identifier: MIT
// Collective operations, whichever library carries them out: their names, what they ask of tensors.
#pragma once

#include <string>
#include <vector>

#include "suite/ranks/collectives.h"

namespace kdbench {

// "allreduce", "broadcast", "allgather", "reduce-scatter".
const std::string& operation_name(CollectiveOp::Kind kind);

// Throws std::logic_error, beginning with `library`, unless there is one tensor for each of `size`
// ranks, all of rows like `rows`, and that of this rank has as many. Local.
void check_gathered_rows(const std::string& library, const at::Tensor& rows,
                         const std::vector<at::Tensor>& parts, int rank, int size);

// Throws std::logic_error, beginning with `library`, unless the parts of a reduce-scatter, one for
// each of `size` ranks, are consecutive views that make up `tensor`. Local.
void check_scattered_parts(const std::string& library, const at::Tensor& tensor,
                           const std::vector<at::Tensor>& parts, int size);

}  // namespace kdbench
