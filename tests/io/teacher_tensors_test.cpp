// SPDX-License-Identifier: MIT
// Teacher outputs of another program.
#include <gtest/gtest.h>

#include <numeric>

#include "io/stores/teacher_store.h"
#include "io/weights/safetensors.h"
#include "tests/io/rank_folder.h"
#include "tests/support/feature_rows.h"
#include "tests/support/test_data.h"

namespace kdbench {
namespace {

using testing::error_of;
using testing::features_of;
using testing::RankFolder;

TEST(TeacherTensors, FromAnotherProgram) {
  const auto path = testing::test_data("models/rte-deep-teacher-outputs.safetensors");
  std::vector<int64_t> ids(36);
  std::iota(ids.begin(), ids.end(), 0);
  const auto found = read_teacher_tensors(path, features_of(ids), {"entailment", "not_entailment"});
  EXPECT_EQ(found->rows(), 36);
  EXPECT_EQ(found->cls_layers, (std::vector<int64_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(found->hidden_size, 16);
  EXPECT_EQ(found->cls.size(), 36u * 6 * 16);
  const at::Tensor logits = read_safetensors(path).at("train_logits");
  EXPECT_EQ(found->logits[2 * 35 + 1], logits[35][1].item<float>());
  EXPECT_HAS(error_of([&] {
               read_teacher_tensors(path, features_of({0, 1}), {"a", "b"});
             }),
             "2 rows");
  EXPECT_HAS(error_of([&] {
               read_teacher_tensors(path, features_of(ids), {"a", "b", "c"});
             }),
             "has 2 columns");
}

// Five rows of three layers, float64; values are 100 row + 10 layer + unit.
std::filesystem::path write_tensors(const RankFolder& folder) {
  return folder.make("layers.safetensors", [](const auto& file) {
    const at::Tensor cls = at::arange(5, at::kDouble).mul(100).view({5, 1, 1}) +
                           at::arange(1, 4, at::kDouble).mul(10).view({1, 3, 1}) +
                           at::arange(2, at::kDouble).view({1, 1, 2});
    write_safetensors(file, {{"train_logits", at::ones({5, 1})}, {"train_cls", cls}});
  });
}

TEST(TeacherTensors, OnlyTheWantedLayersAreTaken) {
  const RankFolder folder;
  const auto path = write_tensors(folder);
  const FeatureSplit rows = features_of({0, 1, 2, 3, 4});
  const auto read = [&](const std::vector<int64_t>& layers, int64_t bytes = 1 << 20) {
    return read_teacher_tensors(path, rows, {}, {.cls = layers, .cls_bytes = bytes});
  };
  const auto found = read({3, 1});
  EXPECT_EQ(found->cls_layers, (std::vector<int64_t>{3, 1}));
  EXPECT_EQ(found->cls, (std::vector<float>{30,  31,  10,  11,  130, 131, 110, 111, 230, 231,
                                            210, 211, 330, 331, 310, 311, 430, 431, 410, 411}));
  EXPECT_EQ(read({2}, 5 * 2 * 4)->cls.size(), 10u);
  const auto too_much = read({3, 1}, 79);
  EXPECT_TRUE(too_much->cls.empty());
  EXPECT_TRUE(at::equal(
      too_much->cls_on_disk({4, 0}),
      at::tensor({430., 431., 410., 411., 30., 31., 10., 11.}, at::kFloat).reshape({2, 2, 2})));
  EXPECT_HAS(error_of([&] { read({4}); }), "hold no [CLS] states of layer 4");
  EXPECT_HAS(
      error_of([&] { read_teacher_tensors(path, rows, {}, {.hidden = std::vector<int64_t>{1}}); }),
      "hold no hidden states of layer 1 (they have none at all");
}

TEST(TeacherTensors, WithoutLogitsAreRefused) {
  const RankFolder folder;
  const auto path =
      folder.make("t.safetensors", [](const auto& file) { write_safetensors(file, {}); });
  EXPECT_HAS(error_of([&] { read_teacher_tensors(path, features_of({}), {}); }),
             "has no tensor train_logits");
}

}  // namespace
}  // namespace kdbench
