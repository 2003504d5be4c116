// SPDX-License-Identifier: MIT
#include "methods/masking.h"

#include <gtest/gtest.h>

#include <map>

#include "io/batches/text_dataset.h"
#include "io/stores/feature_store.h"
#include "tests/methods/small_batch.h"

namespace kdbench::masking_test {
namespace {

constexpr int32_t kMask = 4;
constexpr int64_t kVocabulary = 1000;

const MaskMarks kMarks{kMask, "[MASK]", {0, 1, 2, 3, 4}};

// Row r has lengths[r] ids from 10 on between 2 and 3.
Batch rows_of(const std::vector<int64_t>& lengths, const std::vector<int64_t>& row_ids) {
  std::vector<std::vector<int64_t>> rows;
  for (size_t r = 0; r < lengths.size(); ++r) {
    rows.push_back({2});
    for (int64_t i = 0; i < lengths[r]; ++i) rows.back().push_back(10 + row_ids[r] + i);
    rows.back().push_back(3);
  }
  return testing::make_batch(rows, std::vector<int64_t>(lengths.size(), 1), row_ids);
}

std::vector<int64_t> part(const Batch& batch, const char* name, int64_t row) {
  const Ragged& field = batch.ragged_field(name);
  const at::Tensor values = field.values.slice(0, field.offsets[row].item<int64_t>(),
                                               field.offsets[row + 1].item<int64_t>());
  return {values.const_data_ptr<int64_t>(), values.const_data_ptr<int64_t>() + values.numel()};
}

TEST(Masking, CountsAreBerts) {
  const std::map<int64_t, int64_t> counts = {{0, 0}, {1, 1}, {3, 1}, {9, 1}, {10, 2}, {100, 15}};
  for (const auto& [maskable, masked] : counts) EXPECT_EQ(masked_count(maskable), masked);
}

TEST(Masking, ExactlySoManyAreTargetsAndNoSpecialOne) {
  const std::vector<int64_t> lengths = {0, 1, 10, 40};
  const Batch before = rows_of(lengths, {0, 1, 2, 3});
  const Batch masked = Masking(kMarks, kVocabulary)(before, {5, 6});
  for (int64_t row = 0; row < 4; ++row) {
    const auto ids = part(before, field::kTokens, row), seen = part(masked, field::kTokens, row);
    const auto targets = part(masked, field::kTargets, row);
    int64_t count = 0;
    for (size_t i = 0; i < ids.size(); ++i) {
      if (targets[i] < 0) {
        EXPECT_EQ(seen[i], ids[i]);
        continue;
      }
      ++count;
      EXPECT_EQ(targets[i], ids[i]);
      EXPECT_GE(ids[i], 10);
    }
    EXPECT_EQ(count, masked_count(lengths[static_cast<size_t>(row)]));
  }
  EXPECT_EQ(part(before, field::kTokens, 2)[1], 12) << "the batch that is masked stays as it was";
}

TEST(Masking, DependsOnSeedStepAndRowAlone) {
  const Masking masking(kMarks, kVocabulary);
  const Batch all = masking(rows_of({30, 30, 30}, {7, 8, 9}), {5, 6});
  const Batch one = masking(rows_of({30}, {8}), {5, 6});
  EXPECT_EQ(part(all, field::kTokens, 1), part(one, field::kTokens, 0));
  EXPECT_EQ(part(all, field::kTargets, 1), part(one, field::kTargets, 0));
  for (const RandomKey key : {RandomKey{5, 7}, RandomKey{6, 6}})
    EXPECT_NE(part(masking(rows_of({30}, {8}), key), field::kTargets, 0),
              part(one, field::kTargets, 0));
}

// Of 30,000 targets; three deviations are 0.7 % and 0.5 %.
TEST(Masking, SharesAreBerts) {
  const Masking masking(kMarks, kVocabulary);
  int64_t targets = 0, masks = 0, kept = 0;
  std::vector<int64_t> places(200, 0);
  for (uint32_t step = 0; step < 1000; ++step) {
    const Batch batch = masking(rows_of({200}, {1}), {1, step});
    const auto seen = part(batch, field::kTokens, 0), told = part(batch, field::kTargets, 0);
    for (size_t i = 1; i + 1 < seen.size(); ++i) {
      if (told[i] < 0) continue;
      ++targets;
      ++places[i - 1];
      masks += seen[i] == kMask;
      kept += seen[i] == told[i];
    }
  }
  EXPECT_EQ(targets, 30000);
  EXPECT_NEAR(static_cast<double>(masks) / 30000, 0.8, 0.007);
  EXPECT_NEAR(static_cast<double>(kept) / 30000, 0.1, 0.0055);
  for (const int64_t count : places) EXPECT_NEAR(static_cast<double>(count), 150, 60);
}

TEST(Masking, ADatasetKnowsTheNumber) {
  FeatureSlice slice;
  for (const auto& ids : std::vector<std::vector<int32_t>>{{2, 3}, {2, 10, 11, 3, 12, 3}}) {
    slice.tokens.insert(slice.tokens.end(), ids.begin(), ids.end());
    slice.offsets.push_back(static_cast<int64_t>(slice.tokens.size()));
    slice.first_segment.push_back(2);
    slice.row_ids.push_back(static_cast<int64_t>(slice.row_ids.size()));
    slice.labels.emplace_back("yes");
  }
  const auto data = make_masked_dataset(std::make_shared<FeatureSplit>(std::move(slice)), kMarks);
  EXPECT_FALSE(data->labelled());
  EXPECT_EQ(data->targets(0), 0);
  EXPECT_EQ(data->targets(1), 1);
  const Batch masked = Masking(kMarks, kVocabulary)(data->batch({0, 1}, 2), {1, 1});
  EXPECT_EQ(masked.ragged_field(field::kTargets).values.ge(0).sum().item<int64_t>(), 1);
}

}  // namespace
}  // namespace kdbench::masking_test
