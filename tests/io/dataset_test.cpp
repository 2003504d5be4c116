// SPDX-License-Identifier: MIT
#include "io/batches/dataset.h"

#include <gtest/gtest.h>

#include <optional>

#include "io/batches/teacher_labels.h"
#include "io/stores/feature_store.h"
#include "io/stores/teacher_store.h"
#include "tests/io/rank_folder.h"

namespace kdbench::dataset_test {
namespace {

using testing::error_of;

FeatureSlice features() {
  FeatureSlice f;
  f.name = "train";
  f.source_sha256 = "source";
  f.tokens = {10, 11, 12, 20, 30, 31};
  f.offsets = {0, 3, 4, 6};
  f.first_segment = {2, 1, 1};
  f.row_ids = {100, 7, 50};
  f.labels = {"yes", "no", "yes"};
  return f;
}

// Two layers of two units; logits in the order no, yes.
TeacherSlice teacher() {
  TeacherSlice t;
  t.name = "train";
  t.source_sha256 = "source";
  t.row_ids = {7, 50, 99, 100};
  t.label_order = {"no", "yes"};
  t.classes = 2;
  t.logits = {7, 7.5, 50, 50.5, 99, 99.5, 100, 100.5};
  t.cls_layers = {3, 6};
  t.hidden_size = 2;
  for (const float id : {7.f, 50.f, 99.f, 100.f})
    t.cls.insert(t.cls.end(), {id, id + 1, id + 2, id + 3});
  return t;
}

std::unique_ptr<Dataset> dataset_of(const FeatureSlice& rows, const std::vector<std::string>& order,
                                    const std::optional<TeacherSlice>& outputs = std::nullopt) {
  return make_dataset(std::make_shared<FeatureSplit>(rows), order,
                      outputs ? std::make_shared<TeacherSplit>(*outputs) : nullptr);
}

TEST(Dataset, RowsInTheOrderAsked) {
  const auto dataset = dataset_of(features(), {"no", "yes"});
  EXPECT_EQ(dataset->rows(), 3);
  EXPECT_EQ(dataset->row_id(1), 7);
  EXPECT_EQ(dataset->length(2), 2);
  EXPECT_TRUE(dataset->labelled());
  const Batch batch = dataset->batch({2, 0, 2}, 8);
  EXPECT_EQ(batch.global_rows, 8);
  EXPECT_EQ(batch.rows(), 3);
  EXPECT_TRUE(at::equal(batch.row_ids, at::tensor({50, 100, 50}, at::kLong)));
  EXPECT_TRUE(at::equal(batch.labels, at::tensor({1, 1, 1}, at::kLong)));
  const Ragged& tokens = batch.ragged_field(field::kTokens);
  EXPECT_TRUE(at::equal(tokens.values, at::tensor({30, 31, 10, 11, 12, 30, 31}, at::kLong)));
  EXPECT_TRUE(at::equal(tokens.offsets, at::tensor({0, 2, 5, 7}, at::kLong)));
  EXPECT_TRUE(at::equal(batch.dense_field(field::kFirstSegment), at::tensor({1, 2, 1}, at::kLong)));
  EXPECT_EQ(batch.dense.count(field::kTeacherLogits), 0u);
}

TEST(Dataset, LabelsFollowTheModelsOrder) {
  EXPECT_TRUE(at::equal(dataset_of(features(), {"no", "yes"})->batch({0, 1}, 2).labels,
                        at::tensor({1, 0}, at::kLong)));
  EXPECT_TRUE(at::equal(dataset_of(features(), {"yes", "no"})->batch({0, 1}, 2).labels,
                        at::tensor({0, 1}, at::kLong)));
  const std::string error = error_of([] { dataset_of(features(), {"no", "maybe"}); });
  EXPECT_HAS(error, "row id 100: label yes is none of the model's: no, maybe");
}

TEST(Dataset, ScoresAreParsedOnce) {
  auto f = features();
  f.labels = {"3.750", "0", "5.0"};
  const Batch batch = dataset_of(f, {})->batch({0, 1, 2}, 3);
  EXPECT_TRUE(at::equal(batch.labels, at::tensor({3.75f, 0.f, 5.f})));
  for (const char* bad : {"", "x", "1.5x", "nan", "1,5"}) {
    f.labels[1] = bad;
    EXPECT_HAS(error_of([&] { dataset_of(f, {}); }),
               "row id 7: label " + std::string(bad) + " is no number");
  }
}

TEST(Dataset, UnlabelledRowsHaveNoLabels) {
  auto f = features();
  f.labels.clear();
  for (const auto& order : {std::vector<std::string>{"no", "yes"}, std::vector<std::string>{}}) {
    const auto dataset = dataset_of(f, order);
    EXPECT_FALSE(dataset->labelled());
    EXPECT_FALSE(dataset->batch({0}, 1).labels.defined());
  }
}

TEST(Dataset, TeacherRowsAreFoundByIdAndPermutedToTheModelsLabels) {
  const auto dataset = dataset_of(features(), {"yes", "no"}, teacher());
  const Batch batch = dataset->batch({1, 0}, 2);
  EXPECT_TRUE(at::equal(batch.dense_field(field::kTeacherLogits),
                        at::tensor({7.5f, 7.f, 100.5f, 100.f}).reshape({2, 2})));
  const at::Tensor cls = batch.dense_field(field::kTeacherCls);
  EXPECT_EQ(cls.sizes(), (at::IntArrayRef{2, 2, 2}));
  EXPECT_TRUE(at::equal(cls[1], at::tensor({100.f, 101.f, 102.f, 103.f}).reshape({2, 2})));
}

// The same rows in the same order, as of a file: then nothing is looked up.
TEST(Dataset, TeacherRowsInTheSameOrderAreTakenAsTheyAre) {
  TeacherSlice t = teacher();
  t.row_ids = features().row_ids;
  t.logits.resize(6);
  t.cls.resize(12);
  const Batch batch = dataset_of(features(), {"no", "yes"}, t)->batch({2, 0}, 2);
  EXPECT_TRUE(at::equal(batch.dense_field(field::kTeacherLogits),
                        at::tensor({99.f, 99.5f, 7.f, 7.5f}).reshape({2, 2})));
  EXPECT_TRUE(at::equal(batch.dense_field(field::kTeacherCls)[0],
                        at::tensor({99.f, 100.f, 101.f, 102.f}).reshape({2, 2})));
}

TEST(Dataset, NoIndicesGiveAllFieldsWithNoRows) {
  const Batch batch = dataset_of(features(), {"no", "yes"}, teacher())->batch({}, 4);
  EXPECT_EQ(batch.rows(), 0);
  EXPECT_EQ(batch.global_rows, 4);
  EXPECT_EQ(batch.labels.scalar_type(), at::kLong);
  EXPECT_EQ(batch.ragged_field(field::kTokens).values.numel(), 0);
  EXPECT_TRUE(at::equal(batch.ragged_field(field::kTokens).offsets, at::zeros({1}, at::kLong)));
  EXPECT_EQ(batch.dense_field(field::kFirstSegment).numel(), 0);
  EXPECT_EQ(batch.dense_field(field::kTeacherLogits).sizes(), (at::IntArrayRef{0, 2}));
  EXPECT_EQ(batch.dense_field(field::kTeacherCls).sizes(), (at::IntArrayRef{0, 2, 2}));
}

TEST(Dataset, TeachersThatDoNotMatchAreRefused) {
  const std::vector<std::string> order{"no", "yes"};
  auto t = teacher();
  t.source_sha256 = "other";
  EXPECT_HAS(error_of([&] { dataset_of(features(), order, t); }), "another source file");
  t = teacher();
  t.row_ids[0] = 8;
  EXPECT_HAS(error_of([&] { dataset_of(features(), order, t); }), "lack row id 7");
  t = teacher();
  t.label_order = {"no", "perhaps"};
  EXPECT_HAS(error_of([&] { dataset_of(features(), order, t); }), "have the labels [no, perhaps]");
  auto f = features();
  f.labels = {"1", "2", "3"};
  EXPECT_HAS(error_of([&] { dataset_of(f, {}, teacher()); }),
             "have the labels [no, yes], the model has []");
}

TEST(Batch, AMissingFieldIsNamed) {
  const Batch batch = dataset_of(features(), {"no", "yes"})->batch({0}, 1);
  try {
    batch.dense_field(field::kTeacherCls);
    FAIL();
  } catch (const std::logic_error& error) {
    EXPECT_HAS(std::string(error.what()), "no dense field teacher_cls; it has: first_segment");
  }
  EXPECT_THROW(batch.ragged_field("words"), std::logic_error);
}

// The meta device stands in for an accelerator: it needs no memory.
TEST(Batch, DeviceFieldsMoveAndIdsStay) {
  const Batch batch =
      dataset_of(features(), {"no", "yes"}, teacher())->batch({0, 1}, 2).to(at::kMeta);
  EXPECT_TRUE(batch.labels.is_meta());
  EXPECT_TRUE(batch.ragged_field(field::kTokens).values.is_meta());
  EXPECT_TRUE(batch.ragged_field(field::kTokens).offsets.is_cpu());
  EXPECT_TRUE(batch.row_ids.is_cpu());
  EXPECT_TRUE(batch.dense_field(field::kTeacherLogits).is_meta());
  EXPECT_TRUE(batch.dense_field(field::kFirstSegment).is_cpu());
}

TEST(Dataset, ATeachersChoiceStandsForLabels) {
  FeatureSlice rows = features();
  rows.labels.clear();
  TeacherSlice outputs = teacher();
  outputs.logits = {2, 1, 1, 2, 0, 0, 3, 3};  // of ids 7, 50, 99, 100
  EXPECT_FALSE(dataset_of(rows, {"no", "yes"}, outputs)->batch({0}, 1).labels.defined());
  const auto labelled = with_teacher_labels(dataset_of(rows, {"no", "yes"}, outputs), {});
  EXPECT_TRUE(labelled->labelled());
  // Ids 100 (of equals the first), 7, 50.
  EXPECT_TRUE(at::equal(labelled->batch({0, 1, 2}, 3).labels, at::tensor({0, 0, 1}, at::kLong)));
  // In the model's own order.
  const auto turned = with_teacher_labels(dataset_of(rows, {"yes", "no"}, outputs), {});
  EXPECT_TRUE(at::equal(turned->batch({1, 2}, 3).labels, at::tensor({1, 0}, at::kLong)));
}

TEST(Dataset, ATeachersScoreStaysWithinTheTasks) {
  FeatureSlice rows = features();
  rows.labels.clear();
  TeacherSlice outputs = teacher();
  outputs.label_order.clear();
  outputs.classes = 1;
  outputs.logits = {-1, 2.5, 3, 6};
  const auto labelled = with_teacher_labels(dataset_of(rows, {}, outputs), {.low = 0, .high = 5});
  EXPECT_TRUE(at::equal(labelled->batch({0, 1, 2}, 3).labels, at::tensor({5.f, 0.f, 2.5f})));
}

}  // namespace
}  // namespace kdbench::dataset_test
