// SPDX-License-Identifier: MIT
// That a step of decoding can be taken: ids are of the vocabulary (else a user error), every place
// is there once and has room (else a programmer's mistake).
#pragma once

#include <cstdint>
#include <vector>

namespace kdbench {

void check_step(const std::vector<int64_t>& places, const std::vector<int64_t>& ids,
                const std::vector<int64_t>& lengths, int64_t longest, int64_t vocabulary);

}  // namespace kdbench
