// SPDX-License-Identifier: MIT
#include "io/tokenizers/merge_table.h"

#include <algorithm>
#include <bit>
#include <tuple>

namespace kdbench {

MergeTable::MergeTable(size_t count)
    : slots_(std::bit_ceil(2 * count + 2)), shift_(64 - std::countr_zero(slots_.size())) {}

uint64_t MergeTable::pair_of(int32_t left, int32_t right) {
  return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
}

size_t MergeTable::slot(uint64_t pair) const {
  constexpr uint64_t kGolden = 0x9E3779B97F4A7C15;
  size_t at = (pair * kGolden) >> shift_;
  while (slots_[at].pair != kNone && slots_[at].pair != pair) at = (at + 1) % slots_.size();
  return at;
}

bool MergeTable::add(int32_t left, int32_t right, int32_t id) {
  Merge& merge = slots_[slot(pair_of(left, right))];
  if (merge.pair != kNone) return false;
  merge = {pair_of(left, right), size_++, id};
  return true;
}

const MergeTable::Merge* MergeTable::find(int32_t left, int32_t right) const {
  const Merge& merge = slots_[slot(pair_of(left, right))];
  return merge.pair == kNone ? nullptr : &merge;
}

bool Merger::later(const Candidate& a, const Candidate& b) {
  return std::tie(a.rank, a.left) > std::tie(b.rank, b.left);
}

// The token at `left` and the one after it.
void Merger::consider(int32_t left) {
  const Token& token = tokens_[left];
  if (token.next < 0) return;
  const int32_t right_id = tokens_[token.next].id;
  const MergeTable::Merge* merge = table_.find(token.id, right_id);
  if (!merge) return;
  candidates_.push_back({merge->rank, left, token.id, right_id, merge->id});
  std::push_heap(candidates_.begin(), candidates_.end(), later);
}

void Merger::merge(std::vector<int32_t>& ids, size_t begin) {
  const auto size = static_cast<int32_t>(ids.size() - begin);
  tokens_.resize(ids.size() - begin);
  for (int32_t i = 0; i < size; ++i) {
    tokens_[i] = {ids[begin + static_cast<size_t>(i)], i - 1, i + 1 < size ? i + 1 : -1};
  }
  candidates_.clear();
  for (int32_t i = 0; i < size; ++i) consider(i);
  while (!candidates_.empty()) {
    std::pop_heap(candidates_.begin(), candidates_.end(), later);
    const Candidate best = candidates_.back();
    candidates_.pop_back();
    Token& left = tokens_[best.left];
    if (left.id != best.left_id || left.next < 0 || tokens_[left.next].id != best.right_id)
      continue;
    Token& right = tokens_[left.next];
    left.id = best.id;
    left.next = right.next;
    right.id = -1;
    if (left.next >= 0) tokens_[left.next].previous = best.left;
    if (left.previous >= 0) consider(left.previous);
    consider(best.left);
  }
  ids.resize(begin);
  for (int32_t i = size > 0 ? 0 : -1; i >= 0; i = tokens_[i].next) ids.push_back(tokens_[i].id);
}

}  // namespace kdbench
