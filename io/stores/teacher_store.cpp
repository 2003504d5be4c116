// SPDX-License-Identifier: MIT
#include "io/stores/teacher_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "io/base/error.h"
#include "io/hdf5/store_dtype.h"
#include "io/hdf5/store_file.h"
#include "io/stores/teacher_part.h"

namespace kdbench {
namespace {

constexpr int64_t kPieceValues = 1 << 20;  // of the file, at once

// Calls `take` with the first row and the number of rows of one piece of whole chunks after the
// other.
void for_pieces(const hdf5::Dataset& dataset, const std::function<void(int64_t, int64_t)>& take) {
  const int64_t width = std::max<int64_t>(dataset.row_width(), 1);
  const int64_t chunk = dataset.chunk_rows();
  const int64_t piece = std::max<int64_t>(kPieceValues / width / chunk, 1) * chunk;
  for (int64_t first = 0; first < dataset.rows(); first += piece)
    take(first, std::min(piece, dataset.rows() - first));
}

// After checks of its shape and its element type, before memory is taken for it.
hdf5::Dataset open_floats(const hdf5::Group& group, const std::string& name, at::ScalarType dtype,
                          const std::vector<int64_t>& shape) {
  hdf5::Dataset dataset = group.open(name);
  if (!std::equal(shape.begin(), shape.end(), dataset.shape().begin(), dataset.shape().end(),
                  [](int64_t a, hsize_t b) { return static_cast<hsize_t>(a) == b; })) {
    group.fail(name, "has another shape than the rest of the split");
  }
  with_store_type(dtype, [&](auto zero) { dataset.check<decltype(zero)>(); });
  return dataset;
}

// The blocks `columns` of `width` values that a row has, as float32, after checks of the shape and
// the values; the other blocks never are in memory all at once.
HostArray<float> read_floats(const hdf5::Group& group, const std::string& name,
                             at::ScalarType dtype, const std::vector<int64_t>& shape,
                             const std::vector<int64_t>& columns, const HostRanks& host) {
  const hdf5::Dataset dataset = open_floats(group, name, dtype, shape);
  const int64_t width = shape.back(), row = dataset.row_width();
  const auto row_out = static_cast<int64_t>(columns.size()) * width;
  const bool whole = width == 0 || all_in_order(columns, row / width);
  std::vector<float> piece;
  return HostArray<float>::filled(host, dataset.rows() * row_out, [&](float* out) {
    for_pieces(dataset, [&](int64_t first, int64_t rows) {
      float* to = out + first * row_out;
      if (!whole) piece.resize(static_cast<size_t>(rows * row));
      float* read = whole ? to : piece.data();
      read_rows(dataset, dtype, first, rows, read);
      for (int64_t i = 0; !whole && i < rows; ++i) {
        for (const int64_t column : columns)
          to = std::copy_n(read + i * row + column * width, width, to);
      }
      // Losses of such rows would be none either, and the training be blamed.
      if (!all_finite({out + first * row_out, static_cast<size_t>(rows * row_out)}))
        group.fail(name, "holds NaN or infinity");
    });
  });
}

HostArray<float> read_floats(const hdf5::Group& group, const std::string& name,
                             at::ScalarType dtype, const std::vector<int64_t>& shape,
                             const HostRanks& host) {
  return read_floats(group, name, dtype, shape, {0}, host);
}

void read_cls(const hdf5::Group& group, at::ScalarType dtype, const TeacherPart& part,
              const HostRanks& host, TeacherSplit& s) {
  const auto held =
      group.has("cls") ? group.open("cls_layers").read_all<int64_t>() : std::vector<int64_t>();
  s.cls_layers = part.cls.value_or(held);
  const auto columns = columns_of(s.cls_layers, held, s.name, "[CLS]");
  if (columns.empty()) return;
  const std::vector<int64_t> shape{s.rows(), static_cast<int64_t>(held.size()), s.hidden_size};
  const auto values = static_cast<double>(s.rows()) * static_cast<double>(columns.size()) *
                      static_cast<double>(s.hidden_size);
  if (values * sizeof(float) > static_cast<double>(part.cls_bytes)) return;
  s.cls = read_floats(group, "cls", dtype, shape, columns, host);
}

TeacherSplit read_split(const hdf5::Group& group, const std::string& name, at::ScalarType dtype,
                        const TeacherPart& part, const HostRanks& host) {
  TeacherSplit s;
  s.name = name;
  s.source_sha256 = group.text("source_sha256");
  s.hidden_size = group.integer("hidden_size");
  s.row_ids = group.open("row_ids").read_all<int64_t>(host);
  if (std::adjacent_find(s.row_ids.begin(), s.row_ids.end(), std::greater_equal<>()) !=
      s.row_ids.end()) {
    group.fail("row_ids", "is not in ascending order");
  }
  if (group.has("label_order")) s.label_order = group.read_strings("label_order");
  s.classes = std::max<int64_t>(static_cast<int64_t>(s.label_order.size()), 1);
  s.logits = read_floats(group, "logits", at::kFloat, {s.rows(), s.classes}, host);
  read_cls(group, dtype, part, host, s);
  if (part.pooled && group.has("pooled"))
    s.pooled = read_floats(group, "pooled", dtype, {s.rows(), s.hidden_size}, host);
  return s;
}

// What is read once per host.
struct ReadOutputs {
  TeacherStoreInfo info;
  std::vector<TeacherSplit> splits;
};

hdf5::File open_teacher_store(const std::filesystem::path& path) {
  return open_store(path, kTeacherStoreFormat, kTeacherStoreVersion);
}

at::ScalarType type_of_states(const hdf5::Group& root) {
  const at::ScalarType dtype = store_type(root.text("store_dtype"));
  if (dtype == at::ScalarType::Undefined)
    root.fail("store_dtype", "is none of float32, float16, bfloat16");
  return dtype;
}

ReadOutputs read_store(const std::filesystem::path& path, const TeacherPart& part,
                       const HostRanks& host) {
  const hdf5::File file = open_teacher_store(path);
  const hdf5::Group root = file.root();
  ReadOutputs store;
  store.info.task = root.text("task");
  store.info.checkpoint_sha256 = root.text("checkpoint_sha256");
  store.info.store_dtype = root.text("store_dtype");
  store.info.tokenizer_sha256 = root.text("tokenizer_sha256");
  store.info.max_seq_length = root.integer("max_seq_length");
  const at::ScalarType dtype = type_of_states(root);
  const hdf5::Group splits = root.open_group("splits");
  for (const auto& name : splits.children()) {
    if (part.split && *part.split != name) continue;
    store.splits.push_back(read_split(splits.open_group(name), name, dtype, part, host));
  }
  return store;
}

void travel(HostMessage& part, ReadOutputs& store) {
  part(store.info.task);
  part(store.info.checkpoint_sha256);
  part(store.info.store_dtype);
  part(store.info.tokenizer_sha256);
  part(store.info.max_seq_length);
  part.each(store.splits,
            [](HostMessage& message, TeacherSplit& s) { kdbench::travel(message, s); });
}

// Hidden states of `layers` alone; null for none.
std::shared_ptr<const HiddenStates> hidden_of(std::shared_ptr<const HiddenStates> held,
                                              const std::vector<int64_t>& layers,
                                              const std::string& split) {
  columns_of(layers, held ? held->layers() : std::vector<int64_t>(), split, "hidden");
  if (layers.empty()) return nullptr;
  return held->layers() == layers ? held : held->with_layers(layers);
}

// What is read batch by batch, by each rank from its own open file.
void open_states(const std::filesystem::path& path, const TeacherPart& part,
                 std::vector<TeacherSplit>& splits) {
  const auto file = std::make_shared<const hdf5::File>(open_teacher_store(path));
  const at::ScalarType dtype = type_of_states(file->root());
  const hdf5::Group groups = file->root().open_group("splits");
  const auto states = [&](const TeacherSplit& s, HiddenStates::Of what) {
    return std::make_shared<const HiddenStates>(file, groups.open_group(s.name), what, dtype,
                                                s.rows(), s.hidden_size);
  };
  for (auto& s : splits) {
    if (groups.open_group(s.name).has("hidden")) s.hidden = states(s, HiddenStates::Of::kTokens);
    if (part.hidden) s.hidden = hidden_of(s.hidden, *part.hidden, s.name);
    if (!leaves_cls_on_disk(s)) continue;
    const auto cls = states(s, HiddenStates::Of::kCls)->with_layers(s.cls_layers);
    s.cls_on_disk = [cls](const std::vector<int64_t>& rows) { return cls->read(rows); };
  }
}

}  // namespace

TeacherSplit::TeacherSplit(TeacherSlice all)
    : name(std::move(all.name)),
      source_sha256(std::move(all.source_sha256)),
      row_ids(std::move(all.row_ids)),
      label_order(std::move(all.label_order)),
      classes(all.classes),
      logits(std::move(all.logits)),
      cls_layers(std::move(all.cls_layers)),
      hidden_size(all.hidden_size),
      cls(std::move(all.cls)),
      pooled(std::move(all.pooled)) {}

TeacherStore read_teacher_store(const std::filesystem::path& path, const TeacherPart& part,
                                const HostRanks& host) {
  auto read = host.read_once<ReadOutputs>([&] { return read_store(path, part, host); });
  host.agree([&] { open_states(path, part, read.splits); });
  TeacherStore store{std::move(read.info), {}};
  for (auto& split : read.splits) {
    const std::string name = split.name;
    store.splits[name] = std::make_shared<const TeacherSplit>(std::move(split));
  }
  return store;
}

void check_teacher_matches(const TeacherStore& store, const TeacherSplit& teacher,
                           const FeatureSplit& features, const std::string& checkpoint_sha256) {
  const std::string where = "teacher outputs of " + store.info.task + ", split " + teacher.name;
  const std::string hint = "export them again";
  if (!checkpoint_sha256.empty() && store.info.checkpoint_sha256 != checkpoint_sha256) {
    throw_user_error(where,
                     "come from another checkpoint (" + store.info.checkpoint_sha256 + ", not " +
                         checkpoint_sha256 + ")",
                     hint);
  }
  if (teacher.source_sha256 != features.source_sha256) {
    throw_user_error(where,
                     "belong to another source file (" + teacher.source_sha256 + ", not " +
                         features.source_sha256 + ")",
                     hint);
  }
  std::vector<int64_t> ids(teacher.row_ids.begin(), teacher.row_ids.end());
  std::sort(ids.begin(), ids.end());
  const auto missing = [&](int64_t id) { return !std::binary_search(ids.begin(), ids.end(), id); };
  const auto count = std::count_if(features.row_ids.begin(), features.row_ids.end(), missing);
  if (count == 0) return;
  const int64_t first = *std::find_if(features.row_ids.begin(), features.row_ids.end(), missing);
  throw_user_error(where,
                   "lack " + std::to_string(count) + " of " + std::to_string(features.rows()) +
                       " rows, the first is row id " + std::to_string(first),
                   hint);
}

void check_hidden_matches(const TeacherStoreInfo& store, const FeatureStoreInfo& features) {
  const auto refuse = [&](const std::string& what) {
    throw_user_error("hidden states of " + store.task, what,
                     "states of tokens serve only a student with the teacher's tokenizer and "
                     "max_seq_length; export them again");
  };
  if (store.tokenizer_sha256 != features.tokenizer_sha256) {
    refuse("are of another tokenizer's tokens (" + store.tokenizer_sha256 + ", not " +
           features.tokenizer_sha256 + ")");
  }
  if (store.max_seq_length != features.max_seq_length) {
    refuse(fmt::format("are of rows cut at max_seq_length {}, not {}", store.max_seq_length,
                       features.max_seq_length));
  }
}

}  // namespace kdbench
