// SPDX-License-Identifier: MIT
#include "io/teacher_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>

#include "io/error.h"
#include "io/row_exchange.h"
#include "io/safetensors.h"
#include "io/store_file.h"

namespace kdbench {
namespace {

constexpr const char* kFormat = "kdbench teacher store";

// Element type of cls and pooled; undefined for a name that is none.
at::ScalarType dtype_of(const std::string& name) {
  if (name == "float32") return at::kFloat;
  if (name == "float16") return at::kHalf;
  if (name == "bfloat16") return at::kBFloat16;
  return at::ScalarType::Undefined;
}

hdf5::Type disk_type(at::ScalarType dtype) {
  switch (dtype) {
    case at::kHalf:
      return hdf5::type_of<at::Half>();
    case at::kBFloat16:
      return hdf5::type_of<at::BFloat16>();
    default:
      return hdf5::type_of<float>();
  }
}

// ---- writing

// What all rows of a split share. Ranks without rows take it from one that has some.
struct Layout {
  std::vector<std::string> label_order;
  int64_t classes = 0;
  std::vector<int64_t> cls_layers;
  int64_t hidden_size = 0;
  bool pooled = false;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Layout, label_order, classes, cls_layers, hidden_size, pooled)

Layout agree_layout(const Ranks& ranks, const TeacherSplit& s) {
  const nlohmann::json mine =
      Layout{s.label_order, s.classes, s.cls_layers, s.hidden_size, !s.pooled.empty()};
  const int64_t mine_first = s.rows() > 0 ? ranks.rank : ranks.size;
  const int64_t first = -max(ranks, -mine_first);
  const std::vector<std::string> all = gather_all(ranks, mine.dump());
  const std::string& chosen = all[first == ranks.size ? 0 : first];
  require_same(ranks, "split " + s.name, s.rows() > 0 ? mine.dump() : chosen);
  return nlohmann::json::parse(chosen).get<Layout>();
}

void check_slice(const TeacherSplit& s, const Layout& layout) {
  const int64_t layers = static_cast<int64_t>(layout.cls_layers.size());
  const auto expect = [&](const char* field, size_t size, int64_t width) {
    if (static_cast<int64_t>(size) != s.rows() * width) {
      throw_machine_error("teacher store", "split " + s.name + ": " + field + " has " +
                                               std::to_string(size) + " values, not " +
                                               std::to_string(s.rows() * width));
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

void write_split(const Ranks& ranks, const hdf5::Group& splits, const TeacherSplit& s,
                 at::ScalarType dtype) {
  const Layout layout = agree_layout(ranks, s);
  agree(ranks, [&] { check_slice(s, layout); });
  const RowOrder order = order_rows(ranks, s.row_ids, "split " + s.name);
  const auto rows = static_cast<int64_t>(order.ids.size());
  const hdf5::Group group = splits.create_group(s.name);
  group.set("source_sha256", s.source_sha256);
  group.set("hidden_size", layout.hidden_size);
  const auto write_on_first = [&](const std::string& name, const std::vector<int64_t>& values) {
    const auto count = static_cast<int64_t>(values.size());
    group.create(name, hdf5::Type::kInt64, {count})
        .write(0, ranks.rank == 0 ? count : 0, values.data());
  };
  write_on_first("row_ids", order.ids);
  if (!layout.label_order.empty()) group.write_strings("label_order", layout.label_order);
  write_ordered(ranks, order, group.create("logits", hdf5::Type::kFloat32, {rows, layout.classes}),
                at::kFloat, s.logits);
  if (!layout.cls_layers.empty()) {
    const auto layers = static_cast<int64_t>(layout.cls_layers.size());
    write_on_first("cls_layers", layout.cls_layers);
    write_ordered(ranks, order,
                  group.create("cls", disk_type(dtype), {rows, layers, layout.hidden_size}), dtype,
                  s.cls);
  }
  if (layout.pooled) {
    write_ordered(ranks, order,
                  group.create("pooled", disk_type(dtype), {rows, layout.hidden_size}), dtype,
                  s.pooled);
  }
}

int64_t bytes_of(const std::vector<TeacherSplit>& slices, at::ScalarType dtype) {
  const auto element = static_cast<int64_t>(c10::elementSize(dtype));
  int64_t bytes = 0;
  for (const auto& s : slices) {
    bytes += 4 * static_cast<int64_t>(s.logits.size()) + 8 * s.rows() +
             element * static_cast<int64_t>(s.cls.size() + s.pooled.size());
  }
  return bytes;
}

std::string describe(const TeacherStoreInfo& info, const std::vector<TeacherSplit>& slices) {
  nlohmann::json all = {info.task, info.checkpoint_sha256, info.store_dtype};
  for (const auto& s : slices) all.push_back({s.name, s.source_sha256});
  return all.dump();
}

// ---- reading

// Losses of such rows would be none either, and the training be blamed.
bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(),
                     [](float value) { return std::isfinite(value); });
}

// Rows of elements T as float32.
template <typename T>
void read_converted(const hdf5::Dataset& dataset, int64_t first, int64_t rows, float* out) {
  const int64_t values = rows * dataset.row_width();
  std::vector<T> stored(static_cast<size_t>(values));
  dataset.read(first, rows, stored.data());
  at::from_blob(out, {values}, at::kFloat)
      .copy_(at::from_blob(stored.data(), {values}, c10::CppTypeToScalarType<T>::value));
}

void read_rows(const hdf5::Dataset& dataset, at::ScalarType dtype, int64_t first, int64_t rows,
               float* out) {
  if (dtype == at::kFloat) return dataset.read(first, rows, out);
  dtype == at::kHalf ? read_converted<at::Half>(dataset, first, rows, out)
                     : read_converted<at::BFloat16>(dataset, first, rows, out);
}

// Calls `take` with the first row and the number of rows of one piece of whole chunks after the
// other.
void for_pieces(const hdf5::Dataset& dataset, const std::function<void(int64_t, int64_t)>& take) {
  const int64_t width = std::max<int64_t>(dataset.row_width(), 1);
  const int64_t piece = std::max<int64_t>((int64_t{16} << 20) / width / dataset.chunk_rows(), 1) *
                        dataset.chunk_rows();
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
  read_rows(dataset, dtype, 0, 0, nullptr);
  return dataset;
}

// The whole array as float32, after checks of its shape and its values.
std::vector<float> read_floats(const hdf5::Group& group, const std::string& name,
                               at::ScalarType dtype, const std::vector<int64_t>& shape) {
  const hdf5::Dataset dataset = open_floats(group, name, dtype, shape);
  std::vector<float> values(static_cast<size_t>(dataset.rows() * dataset.row_width()));
  for_pieces(dataset, [&](int64_t first, int64_t rows) {
    read_rows(dataset, dtype, first, rows, values.data() + first * dataset.row_width());
  });
  if (!all_finite(values)) group.fail(name, "holds NaN or infinity");
  return values;
}

// Places of `layers` among `held`.
std::vector<int64_t> columns_of(const std::vector<int64_t>& layers,
                                const std::vector<int64_t>& held, const std::string& split) {
  std::vector<int64_t> columns;
  for (const int64_t layer : layers) {
    const auto found = std::find(held.begin(), held.end(), layer);
    if (found == held.end()) {
      throw_user_error(
          "teacher outputs of split " + split,
          fmt::format("hold no [CLS] states of layer {}", layer),
          fmt::format("they have layers [{}]; export them again", fmt::join(held, ", ")));
    }
    columns.push_back(found - held.begin());
  }
  return columns;
}

// Appends the blocks `columns`, `width` values each, of every row of `values`.
void append_columns(const std::vector<float>& values, int64_t row_width,
                    const std::vector<int64_t>& columns, int64_t width, std::vector<float>& out) {
  if (columns.empty()) return;
  for (auto row = values.begin(); row != values.end(); row += row_width) {
    for (const int64_t column : columns) {
      out.insert(out.end(), row + column * width, row + (column + 1) * width);
    }
  }
}

// The wanted ones of the blocks of `width` values that a row holds; the others never are in memory
// all at once.
std::vector<float> read_columns(const hdf5::Group& group, const std::string& name,
                                at::ScalarType dtype, const std::vector<int64_t>& shape,
                                const std::vector<int64_t>& columns) {
  const hdf5::Dataset dataset = open_floats(group, name, dtype, shape);
  const int64_t width = shape.back();
  std::vector<float> values, out;
  out.reserve(static_cast<size_t>(dataset.rows() * width) * columns.size());
  for_pieces(dataset, [&](int64_t first, int64_t rows) {
    values.resize(static_cast<size_t>(rows * dataset.row_width()));
    read_rows(dataset, dtype, first, rows, values.data());
    append_columns(values, dataset.row_width(), columns, width, out);
  });
  if (!all_finite(out)) group.fail(name, "holds NaN or infinity");
  return out;
}

std::shared_ptr<const TeacherSplit> read_split(const hdf5::Group& group, const std::string& name,
                                               at::ScalarType dtype,
                                               const std::optional<std::vector<int64_t>>& layers) {
  auto s = std::make_shared<TeacherSplit>();
  s->name = name;
  s->source_sha256 = group.text("source_sha256");
  s->hidden_size = group.integer("hidden_size");
  s->row_ids = group.open("row_ids").read_all<int64_t>();
  if (std::adjacent_find(s->row_ids.begin(), s->row_ids.end(), std::greater_equal<>()) !=
      s->row_ids.end()) {
    group.fail("row_ids", "is not in ascending order");
  }
  if (group.has("label_order")) s->label_order = group.read_strings("label_order");
  s->classes = std::max<int64_t>(static_cast<int64_t>(s->label_order.size()), 1);
  s->logits = read_floats(group, "logits", at::kFloat, {s->rows(), s->classes});
  if (group.has("cls")) {
    const auto held = group.open("cls_layers").read_all<int64_t>();
    s->cls_layers = layers.value_or(held);
    s->cls = read_columns(group, "cls", dtype,
                          {s->rows(), static_cast<int64_t>(held.size()), s->hidden_size},
                          columns_of(s->cls_layers, held, name));
  }
  if (group.has("pooled"))
    s->pooled = read_floats(group, "pooled", dtype, {s->rows(), s->hidden_size});
  return s;
}

// float32 values of a tensor of a file made elsewhere, after checks of its shape and its values.
std::vector<float> floats_of(const std::filesystem::path& path, const std::string& name,
                             const at::Tensor& tensor, int64_t dimensions, int64_t rows) {
  if (!tensor.is_floating_point() || tensor.dim() != dimensions || tensor.size(0) != rows) {
    throw_user_error(path.string() + ":" + name,
                     "has shape " + c10::str(tensor.sizes()) + " and type " +
                         c10::toString(tensor.scalar_type()) + ", expected floats of " +
                         std::to_string(dimensions) + " dimensions and " + std::to_string(rows) +
                         " rows, one per training row");
  }
  const at::Tensor values = tensor.to(at::kFloat).contiguous();
  const float* begin = values.const_data_ptr<float>();
  std::vector<float> floats(begin, begin + values.numel());
  if (!all_finite(floats)) throw_user_error(path.string() + ":" + name, "holds NaN or infinity");
  return floats;
}

}  // namespace

void write_teacher_store(const std::filesystem::path& path, MPI_Comm comm,
                         const TeacherStoreInfo& info, const std::vector<TeacherSplit>& slices) {
  const at::ScalarType dtype = dtype_of(info.store_dtype);
  if (dtype == at::ScalarType::Undefined) {
    throw_user_error("store_dtype", info.store_dtype + " is none", "float32, float16 or bfloat16");
  }
  write_store(path, comm, kFormat, kTeacherStoreVersion, bytes_of(slices, dtype),
              [&](const Ranks& ranks, const hdf5::Group& root) {
                require_same(ranks, path.string(), describe(info, slices));
                root.set("task", info.task);
                root.set("checkpoint_sha256", info.checkpoint_sha256);
                root.set("store_dtype", info.store_dtype);
                const hdf5::Group splits = root.create_group("splits");
                for (const auto& slice : slices) write_split(ranks, splits, slice, dtype);
              });
}

TeacherStore read_teacher_store(const std::filesystem::path& path,
                                const std::optional<std::vector<int64_t>>& layers) {
  const hdf5::File file = open_store(path, kFormat, kTeacherStoreVersion);
  const hdf5::Group root = file.root();
  TeacherStore store;
  store.info.task = root.text("task");
  store.info.checkpoint_sha256 = root.text("checkpoint_sha256");
  store.info.store_dtype = root.text("store_dtype");
  const at::ScalarType dtype = dtype_of(store.info.store_dtype);
  if (dtype == at::ScalarType::Undefined)
    root.fail("store_dtype", "is none of float32, float16, bfloat16");
  const hdf5::Group splits = root.open_group("splits");
  for (const auto& name : splits.children())
    store.splits[name] = read_split(splits.open_group(name), name, dtype, layers);
  return store;
}

std::shared_ptr<const TeacherSplit> read_teacher_tensors(
    const std::filesystem::path& path, const FeatureSplit& features,
    const std::vector<std::string>& label_order) {
  const TensorMap tensors = read_safetensors(path);
  const auto logits = tensors.find("train_logits");
  if (logits == tensors.end()) throw_user_error(path.string(), "has no tensor train_logits");
  auto s = std::make_shared<TeacherSplit>();
  s->name = features.name;
  s->source_sha256 = features.source_sha256;
  s->row_ids = features.row_ids;
  s->label_order = label_order;
  s->logits = floats_of(path, "train_logits", logits->second, 2, features.rows());
  s->classes = logits->second.size(1);
  const int64_t expected = std::max<int64_t>(static_cast<int64_t>(label_order.size()), 1);
  if (s->classes != expected) {
    throw_user_error(path.string() + ":train_logits", "has " + std::to_string(s->classes) +
                                                          " columns, the task has " +
                                                          std::to_string(expected) + " outputs");
  }
  if (const auto cls = tensors.find("train_cls"); cls != tensors.end()) {
    s->cls = floats_of(path, "train_cls", cls->second, 3, features.rows());
    s->cls_layers.resize(cls->second.size(1));
    std::iota(s->cls_layers.begin(), s->cls_layers.end(), 1);
    s->hidden_size = cls->second.size(2);
  }
  return s;
}

std::shared_ptr<const TeacherSplit> with_cls_layers(std::shared_ptr<const TeacherSplit> split,
                                                    const std::vector<int64_t>& layers) {
  if (split->cls_layers == layers) return split;
  const auto columns = columns_of(layers, split->cls_layers, split->name);
  auto chosen = std::make_shared<TeacherSplit>();
  chosen->name = split->name;
  chosen->source_sha256 = split->source_sha256;
  chosen->row_ids = split->row_ids;
  chosen->label_order = split->label_order;
  chosen->classes = split->classes;
  chosen->logits = split->logits;
  chosen->pooled = split->pooled;
  chosen->hidden_size = split->hidden_size;
  chosen->cls_layers = layers;
  const auto width = static_cast<int64_t>(split->cls_layers.size()) * split->hidden_size;
  append_columns(split->cls, width, columns, split->hidden_size, chosen->cls);
  return chosen;
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
  std::vector<int64_t> ids = teacher.row_ids;
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

}  // namespace kdbench
