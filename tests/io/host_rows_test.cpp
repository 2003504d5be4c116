// SPDX-License-Identifier: MIT
// The rows of a task and what a teacher says of them are in memory once per host: proportional set
// sizes (each page of memory divided among those who map it), summed over the ranks. KDBENCH_ROWS
// sets the number of rows: 392702 is the size of MNLI (6 GB of states).
#include <gtest/gtest.h>
#include <malloc.h>
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <random>

#include "io/base/collective.h"
#include "io/batches/dataset.h"
#include "io/stores/teacher_store_writer.h"
#include "io/weights/safetensors.h"
#include "tests/io/rank_folder.h"

namespace kdbench {
namespace {

using testing::RankFolder;

constexpr int64_t kTokens = 40, kHidden = 768;
const std::vector<int64_t> kLayers{2, 4, 6, 8, 10};

int64_t wanted_rows() {
  const char* rows = std::getenv("KDBENCH_ROWS");
  return rows ? std::atoll(rows) : 13'000;
}

// The number behind `key` in a file of /proc/self, in bytes.
int64_t own_bytes(const char* file, const std::string& key) {
  std::ifstream stream(std::string("/proc/self/") + file);
  for (std::string word; stream >> word;) {
    int64_t kilobytes = 0;
    if (word == key && stream >> kilobytes) return 1024 * kilobytes;
  }
  ADD_FAILURE() << file << " has no " << key;
  return 0;
}

// Over all ranks, while none of them does anything. Collective.
int64_t proportional_bytes(const Communicator& ranks) {
  malloc_trim(0);
  MPI_Barrier(ranks.comm);
  const int64_t all = sum(ranks, own_bytes("smaps_rollup", "Pss:"));
  MPI_Barrier(ranks.comm);
  return all;
}

// The greatest resident set of this process from now on.
void reset_peak() { std::ofstream("/proc/self/clear_refs") << 5; }
int64_t peak_bytes() { return own_bytes("status", "VmHWM:"); }

float state(int64_t row, int64_t layer) { return static_cast<float>(row % 1000 * 100 + layer); }

FeatureSlice made_up_rows(const Communicator& ranks, int64_t rows) {
  FeatureSlice split;
  split.name = "train";
  split.source_sha256 = "source";
  const std::vector<std::string> names{"neutral", "entailment", "contradiction"};
  for (int64_t row = rows * ranks.rank / ranks.size; row < rows * (ranks.rank + 1) / ranks.size;
       ++row) {
    split.tokens.insert(split.tokens.end(), kTokens, static_cast<int32_t>(row % 30'000));
    split.offsets.push_back(static_cast<int64_t>(split.tokens.size()));
    split.first_segment.push_back(kTokens / 2);
    split.row_ids.push_back(row);
    split.labels.push_back(names[row % 3]);
  }
  return split;
}

TeacherSlice made_up_outputs(const Communicator& ranks, int64_t rows) {
  TeacherSlice split;
  split.name = "train";
  split.source_sha256 = "source";
  split.label_order = {"contradiction", "entailment", "neutral"};
  split.classes = 3;
  split.cls_layers = kLayers;
  split.hidden_size = kHidden;
  const int64_t begin = rows * ranks.rank / ranks.size, end = rows * (ranks.rank + 1) / ranks.size;
  split.cls.reserve(static_cast<size_t>((end - begin) * kHidden) * kLayers.size());
  for (int64_t row = begin; row < end; ++row) {
    split.row_ids.push_back(row);
    split.logits.insert(split.logits.end(), {0.F, 1.F, static_cast<float>(row)});
    for (const int64_t layer : kLayers)
      split.cls.insert(split.cls.end(), kHidden, state(row, layer));
  }
  return split;
}

// Every row once, in batches of shuffled rows; checks a value of each. `first`: of the layers.
void read_all_rows(const Dataset& data, int64_t first_layer) {
  std::vector<int64_t> order(static_cast<size_t>(data.rows()));
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), std::mt19937(3));
  int64_t wrong = 0;
  for (auto next = order.begin(); next != order.end();) {
    const auto end = next + std::min<int64_t>(32, order.end() - next);
    const std::vector<int64_t> rows(next, end);
    const Batch batch = data.batch(rows, 32);
    const at::Tensor cls = batch.dense_field(field::kTeacherCls);
    const at::Tensor logits = batch.dense_field(field::kTeacherLogits);
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto k = static_cast<int64_t>(i);
      wrong += cls[k][0][kHidden - 1].item<float>() != state(rows[i], first_layer);
      wrong += logits[k][0].item<float>() != static_cast<float>(rows[i]);
      wrong += batch.ragged_field(field::kTokens).values[k * kTokens].item<int64_t>() !=
               rows[i] % 30'000;
    }
    next = end;
  }
  EXPECT_EQ(wrong, 0);
}

std::unique_ptr<Dataset> open_dataset(const FeatureStore& features,
                                      std::shared_ptr<const TeacherSplit> outputs) {
  return make_dataset(features.split("train"), {"neutral", "entailment", "contradiction"},
                      std::move(outputs));
}

void print(const Communicator& ranks, const std::string& what, int64_t bytes, int64_t copy) {
  if (ranks.rank != 0) return;
  std::printf("%s: %.1f MB on %d ranks, %.3f of one copy (%.1f MB)\n", what.c_str(),
              static_cast<double>(bytes) / 1e6, ranks.size,
              static_cast<double>(bytes) / static_cast<double>(copy),
              static_cast<double>(copy) / 1e6);
}

class HostRows : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef KDBENCH_SANITIZE
    GTEST_SKIP() << "the sanitizer's own memory is larger than what is measured";
#endif
    write_feature_store(features_, MPI_COMM_WORLD, {"MNLI", "tokenizer", 128, 0, 1},
                        {made_up_rows(ranks_, rows_)});
  }

  int64_t feature_bytes() const { return rows_ * (4 * kTokens + 4 + 8 + 8 + 4); }

  const RankFolder folder_;
  const Communicator ranks_{MPI_COMM_WORLD};
  const int64_t rows_ = wanted_rows();
  const std::filesystem::path features_ = folder_.path / "features.h5";
};

TEST_F(HostRows, AStoreIsInMemoryOnce) {
  const auto path = folder_.path / "teacher.h5";
  write_teacher_store(path, MPI_COMM_WORLD, {"MNLI", "checkpoint", "float32"},
                      {made_up_outputs(ranks_, rows_)});
  const HostRanks host(MPI_COMM_WORLD);
  const int64_t before = proportional_bytes(ranks_);
  const auto started = std::chrono::steady_clock::now();
  const FeatureStore features = read_feature_store(features_, host);
  const auto outputs =
      read_teacher_store(path, {.split = "train", .pooled = false}, host).splits.at("train");
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
  const auto data = open_dataset(features, outputs);
  read_all_rows(*data, kLayers.front());
  const int64_t taken = proportional_bytes(ranks_) - before;
  const int64_t copy = feature_bytes() + rows_ * (8 + 4 * 3 + 4 * kHidden * 5);
  print(ranks_, "store of 5 layers, read in " + std::to_string(seconds.count()) + " s", taken,
        copy);
  EXPECT_LT(static_cast<double>(taken), 1.2 * static_cast<double>(copy));
  EXPECT_GT(static_cast<double>(taken), 0.9 * static_cast<double>(copy));
}

// Twelve layers in the file, of which one is taken: on the way to the memory too.
TEST_F(HostRows, OneLayerOfAForeignFileCostsOne) {
  const auto path = folder_.make("outputs.safetensors", [&](const auto& file) {
    const at::Tensor rows = at::arange(rows_, at::kFloat);
    const at::Tensor cls = rows.remainder(1000).mul(100).view({rows_, 1, 1}) +
                           at::arange(1, 13, at::kFloat).view({1, 12, 1}) +
                           at::zeros({1, 1, kHidden});
    const at::Tensor logits = at::stack({at::zeros({rows_}), at::ones({rows_}), rows}, 1);
    write_safetensors(file, {{"train_logits", logits}, {"train_cls", cls}});
  });
  const HostRanks host(MPI_COMM_WORLD);
  const int64_t before = proportional_bytes(ranks_);
  const FeatureStore features = read_feature_store(features_, host);
  reset_peak();
  const int64_t peak_before = peak_bytes();
  const auto outputs = read_teacher_tensors(path, *features.split("train"),
                                            {"contradiction", "entailment", "neutral"},
                                            {.cls = std::vector<int64_t>{7}}, host);
  const int64_t layer = rows_ * 4 * kHidden;
  // Pieces of the file go through a few buffers of 4 MB.
  EXPECT_LT(peak_bytes() - peak_before, layer + rows_ * 4 * 3 + (int64_t{96} << 20));
  const auto data = open_dataset(features, outputs);
  read_all_rows(*data, 7);
  const int64_t taken = proportional_bytes(ranks_) - before;
  const int64_t copy = feature_bytes() + rows_ * 4 * 3 + layer;
  print(ranks_, "one layer of twelve", taken, copy);
  EXPECT_LT(static_cast<double>(taken), 1.2 * static_cast<double>(copy));
}

// States that stay on the disk take no memory at all.
TEST_F(HostRows, WhatDoesNotFitStaysOnTheDisk) {
  const auto path = folder_.path / "teacher.h5";
  write_teacher_store(path, MPI_COMM_WORLD, {"MNLI", "checkpoint", "float32"},
                      {made_up_outputs(ranks_, rows_)});
  const HostRanks host(MPI_COMM_WORLD);
  const int64_t before = proportional_bytes(ranks_);
  const FeatureStore features = read_feature_store(features_, host);
  const auto outputs =
      read_teacher_store(path, {.cls = kLayers, .split = "train", .cls_bytes = 0}, host)
          .splits.at("train");
  const auto data = open_dataset(features, outputs);
  const auto started = std::chrono::steady_clock::now();
  std::vector<int64_t> rows(32);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int64_t>(i * 7919) % rows_;
  constexpr int kBatches = 20;
  for (int batch = 0; batch < kBatches; ++batch) {
    const at::Tensor cls = data->batch(rows, 32).dense_field(field::kTeacherCls);
    for (int64_t i = 0; i < 32; ++i) {
      ASSERT_EQ(cls[i][4][0].item<float>(), state(rows[static_cast<size_t>(i)], 10));
      rows[static_cast<size_t>(i)] = (rows[static_cast<size_t>(i)] + 4241) % rows_;
    }
  }
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - started;
  const int64_t taken = proportional_bytes(ranks_) - before;
  if (ranks_.rank == 0) std::printf("%.1f ms a batch of 32 rows\n", time.count() / kBatches);
  const int64_t copy = feature_bytes() + rows_ * (8 + 4 * 3);
  print(ranks_, "states on the disk", taken, copy);
  // Beside one copy of the rest each rank has the places of its rows, and HDF5 its buffers.
  EXPECT_LT(static_cast<double>(taken), 1.2 * static_cast<double>(copy) +
                                            ranks_.size * (8.0 * static_cast<double>(rows_) + 8e6));
}

}  // namespace
}  // namespace kdbench
