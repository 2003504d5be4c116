// SPDX-License-Identifier: MIT
#include "io/stores/teacher_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "io/base/error.h"
#include "io/hdf5/store_dtype.h"
#include "io/hdf5/store_file.h"
#include "io/weights/safetensors.h"

namespace kdbench {
namespace {

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
  with_store_type(dtype, [&](auto zero) { dataset.check<decltype(zero)>(); });
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
  // Losses of such rows would be none either, and the training be blamed.
  if (!all_finite(values)) group.fail(name, "holds NaN or infinity");
  return values;
}

[[noreturn]] void fail_without(const std::string& split, const std::string& states, int64_t layer,
                               const std::vector<int64_t>& held) {
  const std::string what = fmt::format("hold no {} states of layer {}", states, layer);
  throw_user_error("teacher outputs of split " + split, what,
                   held.empty() ? "they have none at all; export them again"
                                : fmt::format("they have layers [{}]; export them again",
                                              fmt::join(held, ", ")));
}

// Places of `layers` among `held`.
std::vector<int64_t> columns_of(const std::vector<int64_t>& layers,
                                const std::vector<int64_t>& held, const std::string& split) {
  std::vector<int64_t> columns;
  for (const int64_t layer : layers) {
    const auto found = std::find(held.begin(), held.end(), layer);
    if (found == held.end()) fail_without(split, "[CLS]", layer, held);
    columns.push_back(found - held.begin());
  }
  return columns;
}

// Hidden states of `layers` alone; null for none.
std::shared_ptr<const HiddenStates> hidden_of(std::shared_ptr<const HiddenStates> held,
                                              const std::vector<int64_t>& layers,
                                              const std::string& split) {
  if (layers.empty()) return nullptr;
  if (!held) fail_without(split, "hidden", layers.front(), {});
  if (held->layers() == layers) return held;
  for (const int64_t layer : layers) {
    const auto& all = held->layers();
    if (std::find(all.begin(), all.end(), layer) == all.end())
      fail_without(split, "hidden", layer, all);
  }
  return held->with_layers(layers);
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
  if (columns.empty()) return {};
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

std::shared_ptr<const TeacherSplit> read_split(const std::shared_ptr<const hdf5::File>& file,
                                               const hdf5::Group& splits, const std::string& name,
                                               at::ScalarType dtype, const TeacherLayers& layers) {
  const hdf5::Group group = splits.open_group(name);
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
    s->cls_layers = layers.cls.value_or(held);
    s->cls = read_columns(group, "cls", dtype,
                          {s->rows(), static_cast<int64_t>(held.size()), s->hidden_size},
                          columns_of(s->cls_layers, held, name));
  }
  if (group.has("pooled"))
    s->pooled = read_floats(group, "pooled", dtype, {s->rows(), s->hidden_size});
  if (group.has("hidden")) {
    s->hidden = std::make_shared<HiddenStates>(file, splits.open_group(name), dtype, s->rows(),
                                               s->hidden_size);
  }
  if (layers.hidden) s->hidden = hidden_of(s->hidden, *layers.hidden, name);
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

TeacherStore read_teacher_store(const std::filesystem::path& path, const TeacherLayers& layers) {
  const auto file = std::make_shared<const hdf5::File>(
      open_store(path, kTeacherStoreFormat, kTeacherStoreVersion));
  const hdf5::Group root = file->root();
  TeacherStore store;
  store.info.task = root.text("task");
  store.info.checkpoint_sha256 = root.text("checkpoint_sha256");
  store.info.store_dtype = root.text("store_dtype");
  store.info.tokenizer_sha256 = root.text("tokenizer_sha256");
  store.info.max_seq_length = root.integer("max_seq_length");
  const at::ScalarType dtype = store_type(store.info.store_dtype);
  if (dtype == at::ScalarType::Undefined)
    root.fail("store_dtype", "is none of float32, float16, bfloat16");
  const hdf5::Group splits = root.open_group("splits");
  for (const auto& name : splits.children())
    store.splits[name] = read_split(file, splits, name, dtype, layers);
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

std::shared_ptr<const TeacherSplit> with_layers(std::shared_ptr<const TeacherSplit> split,
                                                const std::vector<int64_t>& cls_layers,
                                                const std::vector<int64_t>& hidden_layers) {
  auto hidden = hidden_of(split->hidden, hidden_layers, split->name);
  if (split->cls_layers == cls_layers && split->hidden == hidden) return split;
  const auto columns = columns_of(cls_layers, split->cls_layers, split->name);
  auto chosen = std::make_shared<TeacherSplit>();
  chosen->name = split->name;
  chosen->source_sha256 = split->source_sha256;
  chosen->row_ids = split->row_ids;
  chosen->label_order = split->label_order;
  chosen->classes = split->classes;
  chosen->logits = split->logits;
  chosen->pooled = split->pooled;
  chosen->hidden_size = split->hidden_size;
  chosen->cls_layers = cls_layers;
  const auto width = static_cast<int64_t>(split->cls_layers.size()) * split->hidden_size;
  append_columns(split->cls, width, columns, split->hidden_size, chosen->cls);
  chosen->hidden = std::move(hidden);
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
