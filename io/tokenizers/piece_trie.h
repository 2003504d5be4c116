// SPDX-License-Identifier: MIT
// Longest-match look-up of vocabulary pieces: a trie over bytes in three flat arrays. The children
// of a node are consecutive, so a step is a memchr over a few bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kdbench {

class PieceTrie {
 public:
  using Node = uint32_t;
  static constexpr Node kRoot = 0;

  struct Match {
    int32_t id = -1;  // -1: no piece is a prefix
    size_t length = 0;
  };

  // Ids are the pieces' positions; pieces must be unique.
  explicit PieceTrie(const std::vector<std::string>& pieces);

  // The node below `from` that spells `bytes`, if some piece does.
  std::optional<Node> find(std::string_view bytes, Node from = kRoot) const;
  // The id of the whole of `bytes`, or -1.
  int32_t id(std::string_view bytes) const;
  // The longest non-empty prefix of `bytes` that ends a piece, spelled from `from` on.
  Match longest(std::string_view bytes, Node from) const;

 private:
  std::optional<Node> child(Node node, char label) const;

  std::vector<Node>
      first_child_;           // (nodes + 1): the children of n are first_child_[n] ... [n + 1] - 1
  std::vector<char> labels_;  // (nodes): byte of the edge to the node
  std::vector<int32_t> ids_;  // (nodes): piece that ends here, or -1
};

}  // namespace kdbench
