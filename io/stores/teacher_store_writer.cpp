// SPDX-License-Identifier: MIT
#include "io/stores/teacher_store_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/base/error.h"
#include "io/hdf5/row_exchange.h"
#include "io/hdf5/store_dtype.h"
#include "io/hdf5/store_file.h"

namespace kdbench {
namespace {

constexpr int64_t kClsChunkBytes = 64 << 10;

// What all rows of a split share. Ranks without rows take it from one that has some.
struct Layout {
  std::vector<std::string> label_order;
  int64_t classes = 0;
  std::vector<int64_t> cls_layers;
  int64_t hidden_size = 0;
  bool pooled = false;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Layout, label_order, classes, cls_layers, hidden_size, pooled)

Layout agree_layout(const Communicator& ranks, const TeacherSlice& s) {
  const nlohmann::json mine =
      Layout{s.label_order, s.classes, s.cls_layers, s.hidden_size, !s.pooled.empty()};
  const int64_t mine_first = s.rows() > 0 ? ranks.rank : ranks.size;
  const int64_t first = -max(ranks, -mine_first);
  const std::vector<std::string> all = gather_all(ranks, mine.dump());
  const std::string& chosen = all[first == ranks.size ? 0 : first];
  require_same(ranks, "split " + s.name, s.rows() > 0 ? mine.dump() : chosen);
  return nlohmann::json::parse(chosen).get<Layout>();
}

void check_slice(const TeacherSlice& s, const Layout& layout) {
  const int64_t layers = static_cast<int64_t>(layout.cls_layers.size());
  const auto expect = [&](const char* field, size_t size, int64_t width) {
    if (static_cast<int64_t>(size) != s.rows() * width) {
      throw_machine_error("teacher store", fmt::format("split {}: {} has {} values, not {}", s.name,
                                                       field, size, s.rows() * width));
    }
  };
  expect("logits", s.logits.size(), layout.classes);
  expect("cls", s.cls.size(), layers * layout.hidden_size);
  expect("pooled", s.pooled.size(), layout.pooled ? layout.hidden_size : 0);
  if (layout.classes < 1 ||
      (layout.label_order.empty()
           ? layout.classes != 1
           : static_cast<int64_t>(layout.label_order.size()) != layout.classes)) {
    throw_machine_error("teacher store",
                        "split " + s.name + ": the label order does not fit the logits");
  }
}

// Chunks of a few rows: small enough to be read in any order, batch by batch, from a store whose
// states no memory holds (a tenth of the time of 1 MiB), and no slower to read at once.
int64_t cls_chunk_rows(int64_t row_states, at::ScalarType dtype) {
  const int64_t row_bytes = row_states * static_cast<int64_t>(c10::elementSize(dtype));
  return std::max<int64_t>(kClsChunkBytes / std::max<int64_t>(row_bytes, 1), 1);
}

void write_split(const Communicator& ranks, const hdf5::Group& group, const TeacherSlice& s,
                 const Layout& layout, at::ScalarType dtype) {
  const RowOrder order = order_rows(ranks, s.row_ids, "split " + s.name);
  const auto rows = static_cast<int64_t>(order.ids.size());
  group.set("source_sha256", s.source_sha256);
  group.set("hidden_size", layout.hidden_size);
  group.write_integers("row_ids", order.ids);
  if (!layout.label_order.empty()) group.write_strings("label_order", layout.label_order);
  write_ordered(ranks, order, group.create("logits", hdf5::Type::kFloat32, {rows, layout.classes}),
                at::kFloat, s.logits);
  if (!layout.cls_layers.empty()) {
    const auto layers = static_cast<int64_t>(layout.cls_layers.size());
    group.write_integers("cls_layers", layout.cls_layers);
    const int64_t chunk = cls_chunk_rows(layers * layout.hidden_size, dtype);
    write_ordered(ranks, order,
                  group.create("cls", disk_type(dtype), {rows, layers, layout.hidden_size},
                               {chunk, layers, layout.hidden_size}),
                  dtype, s.cls);
  }
  if (layout.pooled) {
    write_ordered(ranks, order,
                  group.create("pooled", disk_type(dtype), {rows, layout.hidden_size}), dtype,
                  s.pooled);
  }
}

std::string describe(const TeacherStoreInfo& info) {
  return nlohmann::json{info.task, info.checkpoint_sha256, info.store_dtype, info.tokenizer_sha256,
                        info.max_seq_length}
      .dump();
}

// Of this rank's rows alone.
TeacherSplitSize size_of(const TeacherSlice& slice) {
  TeacherSplitSize size;
  size.rows = slice.rows();
  size.classes = slice.classes;
  size.hidden_size = slice.hidden_size;
  size.cls_layers = static_cast<int64_t>(slice.cls_layers.size());
  size.pooled = !slice.pooled.empty();
  return size;
}

}  // namespace

int64_t stored_bytes(const TeacherSplitSize& size, const std::string& store_dtype) {
  const auto element = static_cast<int64_t>(c10::elementSize(store_type(store_dtype)));
  const int64_t row_states = size.cls_layers + (size.pooled ? 1 : 0);
  int64_t bytes = size.rows * (8 + 4 * size.classes + element * row_states * size.hidden_size);
  if (size.hidden_layers > 0) {
    bytes += 8 * (size.rows + 1 + size.hidden_layers) +
             element * size.tokens * size.hidden_layers * size.hidden_size;
  }
  return bytes;
}

const hdf5::Group& TeacherStoreWriter::group(const std::string& name) {
  const auto found = groups_.find(name);
  if (found != groups_.end()) return found->second;
  return groups_.emplace(name, splits_.create_group(name)).first->second;
}

HiddenWriter& TeacherStoreWriter::hidden(const std::string& name, const HiddenLayout& layout) {
  require_same(ranks_, "hidden states of split " + name,
               nlohmann::json{layout.layers, layout.hidden_size, layout.offsets.size(),
                              layout.offsets.back()}
                   .dump());
  return hidden_.try_emplace(name, ranks_, group(name), layout, dtype_).first->second;
}

void TeacherStoreWriter::add(const TeacherSlice& slice) {
  require_same(ranks_, "teacher store", nlohmann::json{slice.name, slice.source_sha256}.dump());
  const Layout layout = agree_layout(ranks_, slice);
  const int64_t rows = sum(ranks_, slice.rows());
  agree(ranks_, [&] {
    check_slice(slice, layout);
    const auto hidden = hidden_.find(slice.name);
    if (hidden != hidden_.end() && hidden->second.window() != std::pair(rows, rows)) {
      throw_machine_error("teacher store", "split " + slice.name + " has rows without states");
    }
  });
  write_split(ranks_, group(slice.name), slice, layout, dtype_);
  hidden_.erase(slice.name);
  groups_.erase(slice.name);
}

void write_teacher_store(const std::filesystem::path& path, MPI_Comm comm,
                         const TeacherStoreInfo& info, int64_t bytes,
                         const std::function<void(TeacherStoreWriter&)>& fill) {
  const at::ScalarType dtype = store_type(info.store_dtype);
  if (dtype == at::ScalarType::Undefined) {
    throw_user_error("store_dtype", info.store_dtype + " is none", "float32, float16 or bfloat16");
  }
  const int64_t mine = Communicator(comm).rank == 0 ? bytes : 0;
  write_store(path, comm, kTeacherStoreFormat, kTeacherStoreVersion, mine,
              [&](const Communicator& ranks, const hdf5::Group& root) {
                require_same(ranks, path.string(), describe(info));
                root.set("task", info.task);
                root.set("checkpoint_sha256", info.checkpoint_sha256);
                root.set("store_dtype", info.store_dtype);
                root.set("tokenizer_sha256", info.tokenizer_sha256);
                root.set("max_seq_length", info.max_seq_length);
                const hdf5::Group splits = root.create_group("splits");
                TeacherStoreWriter writer(ranks, splits, dtype);
                fill(writer);
              });
}

void write_teacher_store(const std::filesystem::path& path, MPI_Comm comm,
                         const TeacherStoreInfo& info, const std::vector<TeacherSlice>& slices) {
  const Communicator ranks(comm);
  int64_t bytes = 0;
  for (const auto& slice : slices) {
    if (store_type(info.store_dtype) != at::ScalarType::Undefined)
      bytes += stored_bytes(size_of(slice), info.store_dtype);
  }
  bytes = sum(ranks, bytes);
  write_teacher_store(path, comm, info, bytes, [&](TeacherStoreWriter& writer) {
    for (const auto& slice : slices) writer.add(slice);
  });
}

}  // namespace kdbench
