// SPDX-License-Identifier: MIT
#include "suite/training/gradient_reducer.h"

#include <memory>

#include "suite/training/step_work.h"
#include "suite/training/token_tables.h"

namespace kdbench {
namespace {

// Rows of a table's gradient, together while they travel.
struct TravellingRows {
  at::Tensor table, rows, values;
};

at::Tensor table_view(const at::Tensor& buffer, const TokenTable& table) {
  return buffer.narrow(0, table.begin, table.rows * table.width).view({table.rows, table.width});
}

}  // namespace

void GradientReducer::reduce(Parameters& parameters, const std::vector<int64_t>& tokens) {
  if (collectives_.size() == 1) return;
  at::NoGradGuard no_grad;
  const at::Tensor& gradients = parameters.gradients();
  std::vector<std::unique_ptr<PendingCollective>> pending;
  const auto start = [&](const at::Tensor& tensor) {
    CollectiveOp op;
    op.tensor = tensor;
    pending.push_back(collectives_.start(std::move(op)));
  };
  for (const auto& bucket : gradient_buckets(parameters.layout()))
    start(gradients.narrow(0, bucket.begin, bucket.size));
  std::vector<TravellingRows> travelling;
  const at::Tensor rows = at::tensor(tokens, at::kLong).to(gradients.device());
  for (const auto& table : token_tables(parameters.layout())) {
    const at::Tensor view = table_view(gradients, table);
    travelling.push_back({view, rows, view.index_select(0, rows)});
    start(travelling.back().values);
  }
  for (auto& part : pending) part->wait();
  for (auto& part : travelling) part.table.index_copy_(0, part.rows, part.values);
}

}  // namespace kdbench
