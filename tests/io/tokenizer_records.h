// SPDX-License-Identifier: MIT
// A tokenizer against the records of a fixture (fixtures/tokenizer).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <istream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/tokenizers/tokenizer.h"

namespace kdbench::testing {

struct RecordCounts {
  int64_t texts = 0, rows = 0, different = 0;
};

// The records of the fixture, each difference reported with its text.
inline RecordCounts compare_records(const Tokenizer& tokenizer, std::istream& records) {
  RecordCounts counts;
  for (std::string line; std::getline(records, line);) {
    const auto record = nlohmann::json::parse(line);
    Encoding encoding;
    std::vector<int32_t> types;
    if (record.contains("text")) {
      ++counts.texts;
      encoding.ids = tokenizer.encode(record["text"].get<std::string>());
    } else {
      ++counts.rows;
      const auto a = record["text_a"].get<std::string>();
      const bool pair = !record["text_b"].is_null();
      const std::string text_b = pair ? record["text_b"].get<std::string>() : "";
      const std::string_view b = text_b;
      encoding = tokenizer.encode_row(a, pair ? &b : nullptr, record["max_length"]);
      types.assign(encoding.ids.size(), tokenizer.second_segment_type());
      std::fill_n(types.begin(), encoding.first_segment, 0);
    }
    const bool same =
        record["ids"] == encoding.ids && (types.empty() || record["token_type_ids"] == types);
    counts.different += !same;
    EXPECT_TRUE(same) << line << "\n got " << nlohmann::json(encoding.ids);
  }
  return counts;
}

}  // namespace kdbench::testing
