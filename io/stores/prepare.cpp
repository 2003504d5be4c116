// SPDX-License-Identifier: MIT
#include "io/stores/prepare.h"

#include <algorithm>
#include <future>
#include <stdexcept>

namespace kdbench {
namespace {

Encoding encode(const Tokenizer& tokenizer, const GlueRow& row, const std::string_view* second,
                const RowShape& shape) {
  switch (shape.layout) {
    case RowLayout::kJoined:
      return tokenizer.encode_row(row.text_a, second, shape.max_length);
    case RowLayout::kApart:
      return tokenizer.encode_apart(row.text_a, second, shape.max_length);
    case RowLayout::kText:
      return tokenizer.encode_text(row.text_a, second, shape.max_length,
                                   shape.cut ? std::optional(shape.cut(row.row_id)) : std::nullopt);
  }
  throw std::logic_error("tokenize_rows: unknown layout");
}

FeatureSlice tokenize_part(const Tokenizer& tokenizer, const Task& task, const GlueFile& file,
                           int64_t begin, int64_t end, const RowShape& shape) {
  FeatureSlice part;
  for (int64_t i = begin; i < end; ++i) {
    const GlueRow& row = file.rows[static_cast<size_t>(i)];
    const std::string_view text_b = row.text_b;
    const std::string_view* second = task.pair() ? &text_b : nullptr;
    const Encoding encoding = encode(tokenizer, row, second, shape);
    part.tokens.insert(part.tokens.end(), encoding.ids.begin(), encoding.ids.end());
    part.offsets.push_back(static_cast<int64_t>(part.tokens.size()));
    part.first_segment.push_back(encoding.first_segment);
    part.row_ids.push_back(row.row_id);
    if (!row.label.empty()) part.labels.push_back(row.label);
  }
  return part;
}

template <typename T>
void append(std::vector<T>& all, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

void append(FeatureSlice& all, const FeatureSlice& part) {
  const auto before = static_cast<int64_t>(all.tokens.size());
  for (size_t i = 1; i < part.offsets.size(); ++i) all.offsets.push_back(before + part.offsets[i]);
  append(all.tokens, part.tokens);
  append(all.first_segment, part.first_segment);
  append(all.row_ids, part.row_ids);
  append(all.labels, part.labels);
}

FeatureSlice tokenize_rows(const Tokenizer& tokenizer, const Task& task, const GlueFile& file,
                           int64_t begin, int64_t end, const RowShape& shape, int threads) {
  if (begin < 0 || begin > end || end > static_cast<int64_t>(file.rows.size()) || threads < 1) {
    throw std::invalid_argument("tokenize_rows: rows outside the file, or no thread");
  }
  // One part a thread; the calling thread takes the first. A future carries an error over.
  const int64_t rows = end - begin;
  const auto bound = [&](int64_t part) { return begin + rows * part / threads; };
  std::vector<std::future<FeatureSlice>> others;
  for (int64_t t = 1; t < threads; ++t) {
    others.push_back(std::async(std::launch::async, [&, t] {
      return tokenize_part(tokenizer, task, file, bound(t), bound(t + 1), shape);
    }));
  }
  FeatureSlice all = tokenize_part(tokenizer, task, file, bound(0), bound(1), shape);
  for (auto& other : others) append(all, other.get());
  all.name = file.path.stem().string();
  all.source_sha256 = file.sha256;
  all.left_out = file.short_rows;
  return all;
}

}  // namespace kdbench
