// SPDX-License-Identifier: MIT
#include "io/tokenizers/piece_trie.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace kdbench {

PieceTrie::PieceTrie(const std::vector<std::string>& pieces) {
  std::vector<int32_t> order(pieces.size());
  std::iota(order.begin(), order.end(), 0);
  const auto piece = [&](size_t i) -> const std::string& {
    return pieces[static_cast<size_t>(order[i])];
  };
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return pieces[static_cast<size_t>(a)] < pieces[static_cast<size_t>(b)];
  });

  // Breadth first, each node with its range of sorted pieces: children get consecutive numbers.
  struct Range {
    size_t begin, end, depth;
  };
  std::vector<Range> nodes{{0, pieces.size(), 0}};
  labels_.push_back(0);
  for (size_t n = 0; n < nodes.size(); ++n) {
    auto [begin, end, depth] = nodes[n];
    const bool ends_here = begin < end && piece(begin).size() == depth;
    ids_.push_back(ends_here ? order[begin] : -1);
    if (ends_here) ++begin;
    first_child_.push_back(static_cast<Node>(nodes.size()));
    while (begin < end) {
      const char label = piece(begin)[depth];
      size_t next = begin + 1;
      while (next < end && piece(next)[depth] == label) ++next;
      nodes.push_back({begin, next, depth + 1});
      labels_.push_back(label);
      begin = next;
    }
  }
  first_child_.push_back(static_cast<Node>(nodes.size()));
}

std::optional<PieceTrie::Node> PieceTrie::child(Node node, char label) const {
  const Node begin = first_child_[node], end = first_child_[node + 1];
  if (begin == end) return std::nullopt;
  const void* found = std::memchr(labels_.data() + begin, label, end - begin);
  if (!found) return std::nullopt;
  return static_cast<Node>(static_cast<const char*>(found) - labels_.data());
}

std::optional<PieceTrie::Node> PieceTrie::find(std::string_view bytes, Node from) const {
  std::optional<Node> node = from;
  for (const char byte : bytes) {
    node = child(*node, byte);
    if (!node) break;
  }
  return node;
}

int32_t PieceTrie::id(std::string_view bytes) const {
  const auto node = find(bytes);
  return node ? ids_[*node] : -1;
}

PieceTrie::Match PieceTrie::longest(std::string_view bytes, Node from) const {
  Match match;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto next = child(from, bytes[i]);
    if (!next) break;
    from = *next;
    if (ids_[from] >= 0) match = {ids_[from], i + 1};
  }
  return match;
}

}  // namespace kdbench
