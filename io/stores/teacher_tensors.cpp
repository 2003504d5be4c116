// SPDX-License-Identifier: MIT
// Teacher outputs of another program, in safetensors.
#include <algorithm>
#include <numeric>

#include "io/base/error.h"
#include "io/hdf5/store_dtype.h"
#include "io/stores/teacher_part.h"
#include "io/weights/safetensors.h"

namespace kdbench {
namespace {

constexpr const char *kLogits = "train_logits", *kCls = "train_cls";
constexpr int64_t kPieceBytes = 4 << 20;  // of the file, at once

// A tensor of (N, ...) floats, of which rows are taken.
class RowTensor {
 public:
  // Throws unless the shape fits.
  RowTensor(std::shared_ptr<const SafetensorsFile> file, const SafetensorsEntry& entry,
            size_t dimensions, int64_t rows)
      : file_(std::move(file)), entry_(entry), where_(file_->path() + ":" + entry.name) {
    if (at::isFloatingType(entry.type) && entry.shape.size() == dimensions &&
        entry.shape.front() == rows) {
      return;
    }
    throw_user_error(where_, "has shape " + c10::str(at::IntArrayRef(entry.shape)) + " and type " +
                                 c10::toString(entry.type) + ", expected floats of " +
                                 std::to_string(dimensions) + " dimensions and " +
                                 std::to_string(rows) + " rows, one per training row");
  }

  int64_t rows() const { return entry_.shape[0]; }
  int64_t size(size_t dimension) const { return entry_.shape[dimension]; }
  const std::string& where() const { return where_; }

  // Whole rows as float32. Throws when one is no number.
  at::Tensor read(int64_t first, int64_t count) const {
    std::vector<int64_t> shape = entry_.shape;
    shape.front() = count;
    const at::Tensor values = at::empty(shape, entry_.type);
    file_->read(entry_, first * row_width(), values);
    return checked(values);
  }
  // Of these rows of (N, layers, H) the layers `columns`.
  at::Tensor read_blocks(const std::vector<int64_t>& rows,
                         const std::vector<int64_t>& columns) const {
    const auto count = static_cast<int64_t>(rows.size());
    const auto layers = static_cast<int64_t>(columns.size());
    const at::Tensor values = at::empty({count, layers, size(2)}, entry_.type);
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t k = 0; k < layers; ++k)
        file_->read(entry_, (rows[i] * size(1) + columns[k]) * size(2), values[i][k]);
    }
    return checked(values);
  }
  // Rows of one piece.
  int64_t piece_rows() const {
    const auto row_bytes = row_width() * static_cast<int64_t>(c10::elementSize(entry_.type));
    return std::max<int64_t>(kPieceBytes / std::max<int64_t>(row_bytes, 1), 1);
  }

 private:
  int64_t row_width() const {
    return c10::multiply_integers(entry_.shape.begin() + 1, entry_.shape.end());
  }
  at::Tensor checked(const at::Tensor& stored) const {
    at::Tensor values = stored.to(at::kFloat);
    if (!all_finite({values.const_data_ptr<float>(), static_cast<size_t>(values.numel())}))
      throw_user_error(where_, "holds NaN or infinity");
    return values;
  }

  std::shared_ptr<const SafetensorsFile> file_;
  const SafetensorsEntry& entry_;
  std::string where_;
};

HostArray<float> read_columns(const RowTensor& tensor, const std::vector<int64_t>& columns,
                              const HostRanks& host) {
  const auto layers = static_cast<int64_t>(columns.size());
  const int64_t width = layers * tensor.size(2);
  const at::Tensor index = at::tensor(columns, at::kLong);
  return HostArray<float>::filled(host, tensor.rows() * width, [&](float* out) {
    for (int64_t first = 0; first < tensor.rows(); first += tensor.piece_rows()) {
      const int64_t rows = std::min(tensor.piece_rows(), tensor.rows() - first);
      const at::Tensor to = at::from_blob(out + first * width, {rows, layers, tensor.size(2)});
      to.copy_(tensor.read(first, rows).index_select(1, index));
    }
  });
}

HostArray<float> read_logits(const RowTensor& tensor, int64_t outputs, const HostRanks& host) {
  if (tensor.size(1) != outputs) {
    throw_user_error(tensor.where(), "has " + std::to_string(tensor.size(1)) +
                                         " columns, the task has " + std::to_string(outputs) +
                                         " outputs");
  }
  return HostArray<float>::filled(host, tensor.rows() * outputs, [&](float* out) {
    const at::Tensor values = tensor.read(0, tensor.rows());
    std::copy_n(values.const_data_ptr<float>(), values.numel(), out);
  });
}

// The file's train_cls, if it has one.
std::optional<RowTensor> cls_of(const std::shared_ptr<const SafetensorsFile>& file, int64_t rows) {
  const SafetensorsEntry* entry = file->find(kCls);
  if (!entry) return std::nullopt;
  return RowTensor(file, *entry, 3, rows);
}

std::vector<int64_t> cls_columns(const std::optional<RowTensor>& cls, const TeacherSplit& split) {
  std::vector<int64_t> held(cls ? static_cast<size_t>(cls->size(1)) : 0);
  std::iota(held.begin(), held.end(), 1);
  return columns_of(split.cls_layers, held, split.name, "[CLS]");
}

void read_cls(const std::optional<RowTensor>& cls, const TeacherPart& part, const HostRanks& host,
              TeacherSplit& s) {
  s.cls_layers.resize(cls ? static_cast<size_t>(cls->size(1)) : 0);
  std::iota(s.cls_layers.begin(), s.cls_layers.end(), 1);
  if (part.cls) s.cls_layers = *part.cls;
  const auto columns = cls_columns(cls, s);
  if (!cls) return;
  s.hidden_size = cls->size(2);
  const auto bytes = static_cast<double>(cls->rows()) * static_cast<double>(s.hidden_size) *
                     static_cast<double>(columns.size()) * sizeof(float);
  if (!columns.empty() && bytes <= static_cast<double>(part.cls_bytes))
    s.cls = read_columns(*cls, columns, host);
}

}  // namespace

std::shared_ptr<const TeacherSplit> read_teacher_tensors(
    const std::filesystem::path& path, const FeatureSplit& features,
    const std::vector<std::string>& label_order, const TeacherPart& part, const HostRanks& host) {
  auto split = std::make_shared<TeacherSplit>(host.read_once<TeacherSplit>([&] {
    const auto file = std::make_shared<const SafetensorsFile>(path);
    const SafetensorsEntry* logits = file->find(kLogits);
    if (!logits) throw_user_error(path.string(), std::string("has no tensor ") + kLogits);
    TeacherSplit s;
    s.name = features.name;
    s.source_sha256 = features.source_sha256;
    s.label_order = label_order;
    s.classes = std::max<int64_t>(static_cast<int64_t>(label_order.size()), 1);
    s.logits = read_logits({file, *logits, 2, features.rows()}, s.classes, host);
    read_cls(cls_of(file, features.rows()), part, host, s);
    columns_of(part.hidden.value_or(std::vector<int64_t>()), {}, s.name, "hidden");
    return s;
  }));
  split->row_ids = features.row_ids;
  if (!leaves_cls_on_disk(*split)) return split;
  host.agree([&] {
    const auto file = std::make_shared<const SafetensorsFile>(path);
    const RowTensor cls = cls_of(file, features.rows()).value();
    split->cls_on_disk = [cls,
                          columns = cls_columns(cls, *split)](const std::vector<int64_t>& rows) {
      return cls.read_blocks(rows, columns);
    };
  });
  return split;
}

}  // namespace kdbench
