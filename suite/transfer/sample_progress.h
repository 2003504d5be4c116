// SPDX-License-Identifier: MIT
// How far a set of samples has come, beside its half-made file, so that what a killed job leaves is
// gone on with: <path>.progress. Local to the root rank.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "suite/transfer/sample_set.h"

namespace kdbench {

struct SampleProgress {
  int64_t next = 0;   // number of the text that comes next
  int64_t bytes = 0;  // of the half-made file up to it
  SampleSet set;      // of the texts before it
};

// What stands beside `path` for a set of this identity, where its half-made file is long enough.
// What is another set's, or no progress at all, counts as nothing.
std::optional<SampleProgress> read_progress(const std::filesystem::path& path,
                                            const std::string& identity);
// In place of an older one. Throws a machine error.
void write_progress(const std::filesystem::path& path, const std::string& identity,
                    const SampleProgress& progress);
void remove_progress(const std::filesystem::path& path);

}  // namespace kdbench
