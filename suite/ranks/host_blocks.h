// SPDX-License-Identifier: MIT
// Memory that the ranks of one host write together: a block of each, mapped by all.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "io/base/host_memory.h"
#include "suite/ranks/control.h"

namespace kdbench {

// All ranks are on one host and map each other's memory. Local.
bool share_host(const Control& control);

// By rank, null where a rank has none: blocks of zeros, this rank's of `bytes` (0: none). They live
// as long as anyone maps them. Collective, where share_host(); a rank that cannot have its memory
// or map another's is a machine error on all.
std::vector<std::shared_ptr<HostMemory>> share_blocks(const Control& control, int64_t bytes);

// Puts the storage of `buffer`, and with it all of its views, into `block` of as many bytes, with
// what that holds.
void move_into(const at::Tensor& buffer, std::shared_ptr<HostMemory> block);
// Puts it into memory of this rank alone, with what it holds.
void move_out(const at::Tensor& buffer);

}  // namespace kdbench
