// SPDX-License-Identifier: MIT
// Training rows of which only their ids and their source matter.
#pragma once

#include <cstdint>
#include <vector>

#include "io/stores/feature_store.h"

namespace kdbench::testing {

inline FeatureSplit features_of(const std::vector<int64_t>& ids) {
  FeatureSlice f;
  f.name = "train";
  f.source_sha256 = "source";
  f.row_ids = ids;
  return FeatureSplit(f);
}

}  // namespace kdbench::testing
