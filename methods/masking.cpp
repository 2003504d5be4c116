// SPDX-License-Identifier: MIT
#include "methods/masking.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "io/batches/text_dataset.h"

namespace kdbench {
namespace {

// Of 32 random bits.
constexpr auto kMasked = static_cast<uint32_t>(0.8 * 0x1p32);
constexpr auto kMaskedOrKept = static_cast<uint32_t>(0.9 * 0x1p32);

// A token that may be masked, and its random numbers.
struct MaskableToken {
  uint64_t order = 0;  // the least are masked
  int64_t place = 0;
  uint32_t kind = 0, other = 0;

  bool operator<(const MaskableToken& than) const {
    return std::pair(order, place) < std::pair(than.order, than.place);
  }
};

}  // namespace

Masking::Masking(MaskMarks marks, int64_t vocabulary)
    : marks_(std::move(marks)), vocabulary_(vocabulary) {}

Batch Masking::operator()(Batch batch, const RandomKey& key) const {
  Ragged& tokens = batch.ragged.at(field::kTokens);
  const at::Device device = tokens.values.device();
  const at::Tensor ids = tokens.values.to(at::kCPU).clone(at::MemoryFormat::Contiguous);
  const at::Tensor targets = at::full_like(ids, -1);
  const at::Tensor row_ids = batch.row_ids.contiguous();
  const int64_t* offsets = tokens.offsets.const_data_ptr<int64_t>();
  const RandomKey own{derive_seed(key.seed, "masking"), key.step};
  for (int64_t row = 0; row < batch.rows(); ++row) {
    const int64_t begin = offsets[row];
    mask_row(offsets[row + 1] - begin,
             static_cast<uint32_t>(row_ids.const_data_ptr<int64_t>()[row]), own,
             ids.mutable_data_ptr<int64_t>() + begin, targets.mutable_data_ptr<int64_t>() + begin);
  }
  batch.ragged[field::kTargets] = {targets.to(device), tokens.offsets};
  tokens.values = ids.to(device);
  return batch;
}

void Masking::mask_row(int64_t length, uint32_t row_id, const RandomKey& key, int64_t* ids,
                       int64_t* targets) const {
  std::vector<MaskableToken> tokens;
  for (int64_t place = 0; place < length; ++place) {
    if (marks_.is_special(static_cast<int32_t>(ids[place]))) continue;
    const PhiloxBlock random =
        philox(key.seed, {static_cast<uint32_t>(place), row_id, 0, key.step});
    tokens.push_back({uint64_t{random[0]} << 32 | random[1], place, random[2], random[3]});
  }
  const int64_t count = masked_count(static_cast<int64_t>(tokens.size()));
  std::partial_sort(tokens.begin(), tokens.begin() + count, tokens.end());
  for (int64_t i = 0; i < count; ++i) {
    const MaskableToken& token = tokens[i];
    int64_t& id = ids[token.place];
    targets[token.place] = id;
    if (token.kind < kMasked) {
      id = marks_.mask;
    } else if (token.kind >= kMaskedOrKept) {
      id = static_cast<int64_t>(uint64_t{token.other} * static_cast<uint64_t>(vocabulary_) >> 32);
    }
  }
}

}  // namespace kdbench
