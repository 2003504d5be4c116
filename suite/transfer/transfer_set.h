// SPDX-License-Identifier: MIT
// Making d-lite's transfer set: rows in, a file of their variations out.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "suite/transfer/set_file.h"
#include "suite/transfer/source_rows.h"
#include "suite/transfer/text_rules.h"

namespace kdbench {

// Over all ranks.
struct TransferCounts {
  int64_t rows_in = 0, rows_out = 0;
  int64_t originals = 0;   // of rows_out
  int64_t duplicates = 0;  // left out: among the originals, or made before
  std::array<int64_t, kVariations> drawn{}, written{};  // by Variation

  bool operator==(const TransferCounts&) const = default;
};

// Writes <path>.partial while it is made and renames it. Rows are in the order (row, iteration);
// of equal texts the first stands there, and none that is a row's own (but by `originals`). The
// same bytes on any number of ranks. A rank needs memory for its part of the rows, of the hashes
// of all texts (text_hash.h) and of a window's texts. The folder must be there. Collective.
TransferCounts write_transfer_set(const SourceRows& source, const TransferOptions& options,
                                  const FileLayout& layout, const std::filesystem::path& path,
                                  const Control& control);

}  // namespace kdbench
