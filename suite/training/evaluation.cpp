// SPDX-License-Identifier: MIT
#include "suite/training/evaluation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "io/base/doing.h"
#include "suite/training/finite.h"
#include "suite/training/sharding.h"

namespace kdbench {
namespace {

// Rows of one forward pass: enough for efficient matrix products, small enough for the cache.
constexpr int64_t kEvaluationRows = 64;

// Sorts the gathered rows by id and checks that they are exactly the split's.
Predictions in_row_order(const std::vector<int64_t>& ids, const std::vector<float>& logits,
                         const std::vector<float>& labels, int64_t classes, const Dataset& data) {
  std::vector<size_t> order(ids.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return ids[a] < ids[b]; });
  std::vector<int64_t> expected(static_cast<size_t>(data.rows()));
  for (int64_t i = 0; i < data.rows(); ++i) expected[i] = data.row_id(i);
  std::sort(expected.begin(), expected.end());

  Predictions sorted;
  sorted.classes = classes;
  for (const size_t i : order) {
    sorted.row_ids.push_back(ids[i]);
    sorted.logits.insert(sorted.logits.end(), logits.begin() + i * classes,
                         logits.begin() + (i + 1) * classes);
    if (!labels.empty()) sorted.labels.push_back(labels[i]);
  }
  if (sorted.row_ids != expected) {
    throw std::logic_error("evaluation did not see every row exactly once");
  }
  return sorted;
}

void check_finite(const Predictions& predictions, const std::string& where) {
  for (size_t i = 0; i < predictions.logits.size(); ++i) {
    if (std::isfinite(predictions.logits[i])) continue;
    const auto row = i / static_cast<size_t>(predictions.classes);
    throw not_finite(where,
                     "the logits of row " + std::to_string(predictions.row_ids[row]) + " are");
  }
}

}  // namespace

void append_values(std::vector<float>& to, const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  to.insert(to.end(), flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel());
}

namespace {

std::vector<int64_t> all_rows(const Dataset& data) {
  std::vector<int64_t> rows(static_cast<size_t>(data.rows()));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

void visit_share(const Dataset& data, const std::vector<int64_t>& rows, const Control& control,
                 at::Device device, const std::function<void(const Batch&)>& visit) {
  at::NoGradGuard no_gradients;
  const auto shares = split_rows(data, rows, control.size());
  for (const auto& slice : micro_batches(shares, control.rank(), kEvaluationRows)) {
    const Doing doing("a forward pass");  // each is a step ahead
    if (!slice.empty()) visit(data.batch(slice, data.rows()).to(device));
  }
}

}  // namespace

void visit_share(const Dataset& data, const Control& control, at::Device device,
                 const std::function<void(const Batch&)>& visit) {
  visit_share(data, all_rows(data), control, device, visit);
}

void forward_share(Model& model, const Dataset& data, const Control& control,
                   const ForwardMode& mode,
                   const std::function<void(const Batch&, const Outputs&)>& visit) {
  forward_share(model, data, all_rows(data), control, mode, visit);
}

void forward_share(Model& model, const Dataset& data, const std::vector<int64_t>& rows,
                   const Control& control, const ForwardMode& mode,
                   const std::function<void(const Batch&, const Outputs&)>& visit) {
  visit_share(data, rows, control, model.parameters().device(),
              [&](const Batch& batch) { visit(batch, model.forward(batch, mode)); });
}

void warm_up(Model& model, const Dataset& data) {
  at::NoGradGuard no_gradients;
  std::vector<int64_t> rows(static_cast<size_t>(std::min(data.rows(), kEvaluationRows)));
  if (rows.empty()) return;
  std::iota(rows.begin(), rows.end(), 0);
  model.forward(data.batch(rows, data.rows()).to(model.parameters().device()), {});
}

Predictions predict(Model& model, const Dataset& data, const Control& control,
                    const std::string& where, const RowsSeen& seen) {
  std::vector<int64_t> ids;
  std::vector<float> logits, labels;
  int64_t classes = 0;
  forward_share(model, data, control, {}, [&](const Batch& batch, const Outputs& outputs) {
    const int64_t* row_ids = batch.row_ids.const_data_ptr<int64_t>();
    ids.insert(ids.end(), row_ids, row_ids + batch.rows());
    append_values(logits, outputs.logits);
    if (data.labelled()) append_values(labels, batch.labels);
    classes = outputs.logits.size(1);
    if (seen) seen(batch.rows());
  });
  Predictions predictions = in_row_order(control.gather(ids), control.gather(logits),
                                         control.gather(labels), control.max(classes), data);
  control.agree([&] { check_finite(predictions, where); });
  predictions.label_order = model.config().labels;
  return predictions;
}

}  // namespace kdbench
