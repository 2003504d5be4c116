// SPDX-License-Identifier: MIT
// Which texts are the first of their kind, over all ranks: each hash has an owner, which alone
// remembers it.
#pragma once

#include <vector>

#include "suite/ranks/control.h"
#include "suite/transfer/text_hash.h"

namespace kdbench {

class FirstSeen {
 public:
  explicit FirstSeen(const Control& control) : control_(control) {}

  // For each of this rank's texts whether none before was the same: none of an earlier call, of a
  // lower rank or earlier on this rank. Collective; lengths may differ.
  std::vector<char> first(const std::vector<TextHash128>& hashes);

  // What this rank remembers. Local.
  const HashSet& owned() const { return owned_; }

 private:
  std::vector<char> first_of_ranks(const std::vector<TextHash128>& hashes);
  std::vector<char> inserted(const std::vector<TextHash128>& hashes);

  const Control& control_;
  HashSet owned_;
};

}  // namespace kdbench
