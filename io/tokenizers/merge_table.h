// SPDX-License-Identifier: MIT
// Byte-pair encoding's ranked merges of two adjacent tokens, in an open-addressed table, and the
// merging of a word by them.
#pragma once

#include <cstdint>
#include <vector>

namespace kdbench {

class MergeTable {
 public:
  struct Merge {
    uint64_t pair = kNone;  // left id, right id
    int32_t rank = 0;       // lower ones go first
    int32_t id = 0;         // of both together
  };

  // Room for `count` merges.
  explicit MergeTable(size_t count = 0);

  // False when the pair has a merge already.
  bool add(int32_t left, int32_t right, int32_t id);
  // Null when the two are not merged.
  const Merge* find(int32_t left, int32_t right) const;

 private:
  static constexpr uint64_t kNone = ~uint64_t{0};
  static uint64_t pair_of(int32_t left, int32_t right);
  // Where the pair stands, or the free place where it would.
  size_t slot(uint64_t pair) const;

  std::vector<Merge> slots_;  // a power of two, at most half full
  int shift_ = 0;
  int32_t size_ = 0;
};

// Merges words one after the other and keeps its memory. For one thread.
class Merger {
 public:
  explicit Merger(const MergeTable& table) : table_(table) {}

  // Merges the word that `ids` ends with, its tokens from `begin` on: always the merge of the
  // lowest rank, the leftmost of equals, until there is none. O(n log n).
  void merge(std::vector<int32_t>& ids, size_t begin);

 private:
  struct Token {
    int32_t id = 0, previous = 0, next = 0;  // id -1: merged into an earlier one
  };
  struct Candidate {
    int32_t rank, left, left_id, right_id, id;
  };
  static bool later(const Candidate& a, const Candidate& b);
  void consider(int32_t left);

  const MergeTable& table_;
  std::vector<Token> tokens_;          // a linked list
  std::vector<Candidate> candidates_;  // a heap; those whose tokens have changed are left over
};

}  // namespace kdbench
