// SPDX-License-Identifier: MIT
// The memory of features against a plain dense reference, on any number of ranks; its files, and
// the states that it is made from.
#include "suite/stages/sources/feature_memory.h"

#include <gtest/gtest.h>

#include <cmath>

#include "io/batches/dataset.h"
#include "io/weights/safetensors.h"
#include "methods/feature_memory.h"
#include "methods/ops/rng.h"
#include "suite/stages/sources/teacher_outputs.h"
#include "tests/io/rank_folder.h"
#include "tests/support/tiny.h"

namespace kdbench::memory_test {
namespace {

using testing::error_of;
using testing::RankFolder;

constexpr int64_t kPositions = 16, kWidth = kPositions * 16;

// ---- the reference: whole features with their zeros, everything in double, one row at a time

at::Tensor dense_row(const at::Tensor& states) {  // (tokens, H) -> (positions * H)
  const at::Tensor row = at::zeros({kPositions, states.size(1)}, at::kDouble);
  row.narrow(0, 0, states.size(0)).copy_(states);
  return row.flatten();
}

at::Tensor reference_memory(const at::Tensor& rows, int64_t centroids, int64_t epochs) {
  at::Tensor normal = at::empty({centroids, rows.size(1)}, at::kFloat);
  fill_normal(1, "memory", 1.0, normal.mutable_data_ptr<float>(), normal.numel());
  const at::Tensor mean = rows.mean(0);
  at::Tensor memory = mean + (rows - mean).square().mean(0).sqrt() * normal.to(at::kDouble);
  for (int64_t pass = 1; pass < epochs; ++pass) {
    const at::Tensor distances = at::cdist(rows, memory);
    std::vector<std::vector<at::Tensor>> members(centroids);
    for (int64_t row = 0; row < rows.size(0); ++row) {
      int64_t nearest = 0;
      for (int64_t k = 1; k < centroids; ++k) {
        if (distances[row][k].item<double>() < distances[row][nearest].item<double>()) nearest = k;
      }
      members[nearest].push_back(rows[row]);
    }
    for (int64_t k = 0; k < centroids; ++k) {
      if (!members[k].empty()) memory[k] = at::stack(members[k]).mean(0);
    }
  }
  return memory;
}

// ---- a teacher of two layers, its rows on all ranks

class Memory : public ::testing::Test {
 protected:
  Memory() {
    features.hash = "features";
    features.store.info = {"SST-2", "tokenizer", kPositions, 0, 1};
    features.store.splits["train"] = testing::tiny_features("train", 37);
    model = {testing::tiny_bert(3), &find_task("SST-2"), "sha"};
  }

  Workspace workspace() const {
    return {control, *collectives, at::kCPU, 1, folder.path, "", std::make_shared<Log>(true, "")};
  }
  const std::shared_ptr<const FeatureSplit>& rows() const {
    return features.store.splits.at("train");
  }

  // All rows in one forward pass of its own.
  std::vector<at::Tensor> computed(int64_t layer) const {
    at::NoGradGuard no_gradients;
    std::vector<at::Tensor> states;
    const auto data = make_dataset(rows(), {"0", "1"});
    ForwardMode mode;
    mode.hidden_layers = {layer};
    for (int64_t row = 0; row < rows()->rows(); ++row) {
      states.push_back(model.model->forward(data->batch({row}, 1), mode).hidden[layer]);
    }
    return states;
  }
  at::Tensor dense(int64_t layer) const {
    std::vector<at::Tensor> all;
    for (const auto& states : computed(layer)) all.push_back(dense_row(states));
    return at::stack(all);
  }
  std::shared_ptr<const TeacherSplit> stored(const std::string& dtype = "float32") {
    OutputRequest request;
    request.hidden_layers = {1, 2};
    request.store_dtype = dtype;
    const auto file = folder.path / ("teacher-" + dtype + ".h5");
    write_teacher_outputs(model, features, request, file, workspace());
    return read_teacher_store(file, {{{}}, {{1}}}).splits.at("train");
  }

  RankFolder folder;
  const Control control{MPI_COMM_WORLD};
  std::unique_ptr<Collectives> collectives = make_collectives(control, at::kCPU);
  Features features;
  TrainedModel model;
};

TEST_F(Memory, StoredStatesAreThoseOfTheModel) {
  const auto teacher = stored();
  const auto both = teacher->hidden->with_layers({2, 1});
  const auto first = computed(1), second = computed(2);
  ASSERT_EQ(teacher->rows(), 37);
  for (int64_t row = 0; row < 37; ++row) {
    const at::Tensor states = both->read({row});
    EXPECT_TRUE(at::allclose(states.select(1, 1), first[row], 1e-4, 1e-5)) << row;
    EXPECT_TRUE(at::allclose(states.select(1, 0), second[row], 1e-4, 1e-5)) << row;
  }
  // The rest of the store is as it is without them.
  const auto data = make_dataset(rows(), {"0", "1"}, teacher);
  const at::Tensor logits = data->batch({5}, 1).dense_field(field::kTeacherLogits);
  at::NoGradGuard no_gradients;
  EXPECT_TRUE(
      at::allclose(logits, model.model->forward(data->batch({5}, 1), {}).logits, 1e-4, 1e-5));
}

TEST_F(Memory, IsTheReferenceOnAnyNumberOfRanks) {
  const auto teacher = stored();
  for (const int64_t epochs : {1, 2, 3, 6}) {
    FeatureMemoryNeeds needs;
    needs.centroids = 5;
    needs.layer = 1;
    needs.epochs = epochs;
    const at::Tensor expected = reference_memory(dense(1), 5, epochs);
    const at::Tensor from_store = train_feature_memory(
        needs, kPositions, 16, stored_states(teacher, rows(), control), workspace());
    EXPECT_EQ(from_store.sizes(), (at::IntArrayRef{5, kWidth}));
    EXPECT_TRUE(at::allclose(from_store.to(at::kDouble), expected, 1e-4, 1e-5)) << epochs;
    const at::Tensor from_model = train_feature_memory(
        needs, kPositions, 16, computed_states(model, 1, rows(), control), workspace());
    EXPECT_TRUE(at::allclose(from_model.to(at::kDouble), expected, 1e-4, 1e-5)) << epochs;
  }
}

TEST_F(Memory, TheFirstOfEqualsTakesTheRowsAndTheOthersStay) {
  // Equal rows have no variance: all three centroids begin at the row.
  MemoryTrainer trainer(3, 2, 2, 1);
  const Ragged rows{at::tensor({1.f, 2.f, 1.f, 2.f}).reshape({2, 2}),
                    at::tensor({0, 1, 2}, at::kLong)};
  trainer.begin_pass();
  trainer.add(rows);
  trainer.add({at::empty({0, 2}), at::tensor({0}, at::kLong)});
  trainer.end_pass();
  const at::Tensor row = at::tensor({1.f, 2.f, 0.f, 0.f});
  EXPECT_TRUE(at::equal(trainer.centroids(), row.expand({3, 4})));
  trainer.begin_pass();
  trainer.add(rows);
  EXPECT_TRUE(at::equal(trainer.sums().narrow(0, 12, 3), at::tensor({2., 0., 0.}, at::kDouble)));
  trainer.end_pass();
  EXPECT_TRUE(at::equal(trainer.centroids(), row.expand({3, 4})));
}

// Rows far from zero: to float32, |c|^2 - 2 <x, c> would be the same number for all centroids.
TEST(MemoryTrainer, NearestCentroidsAreToldApart) {
  constexpr int64_t kRows = 60, kCentroids = 8;
  at::manual_seed(1);
  const at::Tensor values = 1000.0 + 0.01 * at::randn({kRows * kPositions, 16});
  const at::Tensor offsets = at::arange(kRows + 1, at::kLong) * kPositions;
  MemoryTrainer trainer(kCentroids, kPositions, 16, 1);
  trainer.begin_pass();
  trainer.add({values, offsets});
  trainer.end_pass();
  const at::Tensor rows = values.view({kRows, -1}).to(at::kDouble);
  const at::Tensor centroids = trainer.centroids().to(at::kDouble);
  const at::Tensor nearest = (rows.unsqueeze(1) - centroids.unsqueeze(0)).square().sum(2).argmin(1);
  trainer.begin_pass();
  trainer.add({values, offsets});
  EXPECT_TRUE(at::equal(trainer.sums().narrow(0, kCentroids * kWidth, kCentroids),
                        nearest.bincount({}, kCentroids).to(at::kDouble)));
}

TEST_F(Memory, FilesOfTheUserAreChecked) {
  ModelShapes shapes;
  shapes.max_seq_length = 4;
  shapes.student.hidden = 2;
  shapes.teacher.emplace().hidden = 3;
  FeatureMemoryNeeds needs;
  needs.centroids = 2;
  needs.file = folder.path / "memory.safetensors";
  const auto write = [&](const TensorMap& tensors) {
    MPI_Barrier(MPI_COMM_WORLD);
    folder.make("memory.safetensors", [&](const auto& path) { write_safetensors(path, tensors); });
  };
  write({{"teacher", at::ones({2, 12})}, {"student", at::zeros({2, 8}, at::kHalf)}});
  needs.layer = 5;
  const FeatureMemory memory = read_feature_memory(needs, shapes, "RTE");
  EXPECT_TRUE(at::equal(memory.teacher, at::ones({2, 12})));
  EXPECT_TRUE(at::equal(memory.student, at::zeros({2, 8})));
  EXPECT_NO_THROW(check_feature_memory(needs, shapes, "RTE", 1, "method.fsd"));
  write({{"teacher", at::ones({2, 12})}, {"student", at::zeros({2, 12})}});
  EXPECT_HAS(error_of([&] { read_feature_memory(needs, shapes, "RTE"); }),
             "memory.safetensors:student: is of shape (2, 12), expected (2, 8)");
  write({{"teacher", at::ones({3, 12})}});
  EXPECT_HAS(error_of([&] { check_feature_memory(needs, shapes, "RTE", 9, "method.fsd"); }),
             "is of shape (3, 12)");
  write({{"teacher", at::full({2, 12}, NAN)}});
  EXPECT_HAS(error_of([&] { read_feature_memory(needs, shapes, "RTE"); }), "holds NaN");
  folder.make("memory.safetensors", [&](const auto& path) {
    write_feature_memory(at::ones({2, 12}), {"RTE", 5, "sha"}, path);
  });
  EXPECT_NO_THROW(check_feature_memory(needs, shapes, "RTE", 1, "method.fsd"));
  EXPECT_HAS(error_of([&] { check_feature_memory(needs, shapes, "MRPC", 1, "method.fsd"); }),
             "memory.safetensors: is a memory of task RTE, not of MRPC");
  needs.layer = 6;
  EXPECT_HAS(error_of([&] { read_feature_memory(needs, shapes, "RTE"); }),
             "is a memory of layer 5, not of 6");
  needs.layer = 5;
  write({{"student", at::ones({2, 8})}});
  EXPECT_HAS(error_of([&] { read_feature_memory(needs, shapes, "RTE"); }), "has no tensor teacher");
}

TEST_F(Memory, MoreCentroidsThanRowsAreRefused) {
  FeatureMemoryNeeds needs;
  EXPECT_NO_THROW(check_feature_memory(needs, {}, "RTE", 0, "method.fsd"));
  needs.centroids = 10;
  EXPECT_NO_THROW(check_feature_memory(needs, {}, "RTE", 10, "method.fsd"));
  EXPECT_HAS(error_of([&] { check_feature_memory(needs, {}, "RTE", 9, "method.fsd"); }),
             "method.fsd: a memory of 10 centroids needs as many training rows, there are 9");
}

}  // namespace
}  // namespace kdbench::memory_test
