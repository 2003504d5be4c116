// SPDX-License-Identifier: MIT
// Writes a teacher store (layout: io/README.md), collectively: all of it at once, or while the
// teacher runs, so that hidden states never lie in memory all together.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "io/stores/hidden_writer.h"
#include "io/stores/teacher_store.h"

namespace kdbench {

// What one split's outputs consist of, over all ranks.
struct TeacherSplitSize {
  int64_t rows = 0, tokens = 0;
  int64_t classes = 0, hidden_size = 0;
  int64_t cls_layers = 0, hidden_layers = 0;  // how many
  bool pooled = false;
};

// On the disk, without HDF5's own structures.
int64_t stored_bytes(const TeacherSplitSize& size, const std::string& store_dtype);

class TeacherStoreWriter {
 public:
  TeacherStoreWriter(const Communicator& ranks, const hdf5::Group& splits, at::ScalarType dtype)
      : ranks_(ranks), splits_(splits), dtype_(dtype) {}

  // Collective: the hidden states of split `name`, to be written before add() closes the split.
  HiddenWriter& hidden(const std::string& name, const HiddenLayout& layout);

  // Collective: everything else of a split, of which `slice` has this rank's rows.
  void add(const TeacherSlice& slice);

 private:
  const hdf5::Group& group(const std::string& name);

  const Communicator& ranks_;
  const hdf5::Group& splits_;
  at::ScalarType dtype_;
  std::map<std::string, hdf5::Group> groups_;
  std::map<std::string, HiddenWriter> hidden_;
};

// Collective over `comm`; same rules as write_feature_store. `bytes`: of all splits together, an
// upper estimate; `fill` adds every split, in the same order on all ranks.
void write_teacher_store(const std::filesystem::path& path, MPI_Comm comm,
                         const TeacherStoreInfo& info, int64_t bytes,
                         const std::function<void(TeacherStoreWriter&)>& fill);

// The same for splits that are in memory, without hidden states.
void write_teacher_store(const std::filesystem::path& path, MPI_Comm comm,
                         const TeacherStoreInfo& info, const std::vector<TeacherSlice>& slices);

}  // namespace kdbench
