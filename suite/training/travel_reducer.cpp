// SPDX-License-Identifier: MIT
#include "suite/training/travel_reducer.h"

#include "suite/training/flat_buffer.h"
#include "suite/training/token_tables.h"

namespace kdbench {
namespace {

at::Tensor part_of(const at::Tensor& buffer, const FlatRange& range) {
  return buffer.narrow(0, range.begin, range.size());
}

at::Tensor table_view(const at::Tensor& buffer, const TokenTable& table) {
  return buffer.narrow(0, table.begin, table.rows * table.width).view({table.rows, table.width});
}

// The parts of a bucket in `tensor`, which holds the bucket's floats.
std::vector<at::Tensor> views_of(const at::Tensor& tensor, const FlatRange& bucket,
                                 const std::vector<FlatRange>& parts) {
  std::vector<at::Tensor> views;
  for (const auto& part : parts)
    views.push_back(tensor.narrow(0, part.begin - bucket.begin, part.size()));
  return views;
}

}  // namespace

TravelReducer::TravelReducer(Parameters& parameters, Collectives& collectives,
                             const GradientTravel& travel)
    : parameters_(parameters), collectives_(collectives), travel_(travel) {
  for (const auto& range : gradient_buckets(parameters.layout(), parameters.device().type()))
    buckets_.push_back({range, split_range(range, collectives.size()), {}, nullptr});
  if (!travel.during_backward) return;
  std::vector<FlatRange> ranges;
  for (const auto& bucket : buckets_) ranges.push_back(bucket.range);
  watch_ = std::make_unique<BackwardWatch>(parameters, ranges, [this] { start_finished_ones(); });
}

void TravelReducer::before_backward() {
  if (watch_) watch_->begin();
}

void TravelReducer::start_finished_ones() {
  const at::NoGradGuard no_grad;
  while (started_ < buckets_.size() && watch_->finished(started_)) start(buckets_[started_++]);
}

at::Tensor TravelReducer::for_travel(const at::Tensor& tensor) const {
  return tensor.to(travel_.type);
}

void TravelReducer::start(Bucket& bucket) {
  bucket.wire = for_travel(part_of(parameters_.gradients(), bucket.range));
  CollectiveOp op;
  op.kind = CollectiveOp::Kind::kReduceScatterSum;
  op.tensor = bucket.wire;
  op.parts = views_of(bucket.wire, bucket.range, bucket.parts);
  bucket.moving = collectives_.start(std::move(op));
}

void TravelReducer::finish(Bucket& bucket) {
  bucket.moving->wait();
  bucket.moving.reset();
  const auto own = static_cast<size_t>(collectives_.rank());
  const auto sums = views_of(bucket.wire, bucket.range, bucket.parts);
  for (size_t rank = 0; rank < bucket.parts.size(); ++rank) {
    at::Tensor part = part_of(parameters_.gradients(), bucket.parts[rank]);
    if (rank != own) {
      part.zero_();
    } else if (travel_.type != at::kFloat) {
      part.copy_(sums[rank]);
    }
  }
  bucket.wire.reset();
}

void TravelReducer::reduce(const std::vector<int64_t>& tokens) {
  const at::NoGradGuard no_grad;
  if (watch_) watch_->end();
  while (started_ < buckets_.size()) start(buckets_[started_++]);
  reduce_rows(tokens);
  for (auto& bucket : buckets_) finish(bucket);
  started_ = 0;
}

// Each rank adds up a part of the rows, so that all ranks get the same bits.
void TravelReducer::reduce_rows(const std::vector<int64_t>& tokens) {
  if (tokens.empty()) return;
  const at::Tensor rows = at::tensor(tokens, at::kLong).to(parameters_.device());
  for (const auto& table : token_tables(parameters_.layout())) {
    at::Tensor gradients = table_view(parameters_.gradients(), table);
    const at::Tensor wire = for_travel(gradients.index_select(0, rows));
    const auto parts = wire.tensor_split(collectives_.size());
    collectives_.reduce_scatter_sum(wire, parts);
    collectives_.allgather(parts);
    gradients.index_copy_(0, rows, wire.to(at::kFloat));
  }
}

void TravelReducer::share_values() {
  const at::NoGradGuard no_grad;
  std::vector<std::unique_ptr<PendingCollective>> moving;
  for (const auto& bucket : buckets_) {
    CollectiveOp op;
    op.kind = CollectiveOp::Kind::kAllgather;
    op.parts = views_of(part_of(parameters_.values(), bucket.range), bucket.range, bucket.parts);
    op.tensor = op.parts[static_cast<size_t>(collectives_.rank())];
    moving.push_back(collectives_.start(std::move(op)));
  }
  for (auto& part : moving) part->wait();
  note_moved(parameters_);
}

}  // namespace kdbench
