// SPDX-License-Identifier: MIT
#include "io/stores/feature_store.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "io/hdf5/hdf5.h"
#include "io/hdf5/store_seal.h"
#include "tests/io/rank_folder.h"

namespace kdbench::feature_store_test {
namespace {

using testing::error_of;
using testing::file_bytes;
using testing::RankFolder;

FeatureStoreInfo example_info() { return {"MRPC", "cafe", 128, 7, 1}; }

// Row i: i % 5 + 1 ids from 1000 i on; label "even" or "odd", or a score.
FeatureSlice example_rows(const std::string& name, int64_t first, int64_t end,
                          bool scores = false) {
  FeatureSlice s;
  s.name = name;
  s.source_sha256 = "hash of " + name;
  for (int64_t i = first; i < end; ++i) {
    for (int64_t k = 0; k <= i % 5; ++k) s.tokens.push_back(static_cast<int32_t>(1000 * i + k));
    s.offsets.push_back(static_cast<int64_t>(s.tokens.size()));
    s.first_segment.push_back(static_cast<int32_t>(i % 5 / 2));
    s.row_ids.push_back(3 * i);
    s.labels.push_back(scores ? std::to_string(i % 7) + ".250" : i % 2 ? "odd" : "even");
  }
  return s;
}

// Part `rank` of `total` rows: nearly equal parts, but with 3 ranks the first has none.
FeatureSlice share(const RankFolder& folder, const std::string& name, int64_t total,
                   bool scores = false) {
  const int64_t parts = folder.ranks == 3 ? 2 : folder.ranks;
  const int64_t part = folder.ranks == 3 ? std::max(folder.rank - 1, 0) : folder.rank;
  const int64_t begin = folder.ranks == 3 && folder.rank == 0 ? 0 : total * part / parts;
  const int64_t end = folder.ranks == 3 && folder.rank == 0 ? 0 : total * (part + 1) / parts;
  return example_rows(name, begin, end, scores);
}

void expect_equal(const FeatureSplit& found, const FeatureSlice& expected) {
  EXPECT_EQ(found.name, expected.name);
  EXPECT_EQ(found.source_sha256, expected.source_sha256);
  EXPECT_EQ(found.tokens, expected.tokens);
  EXPECT_EQ(found.offsets, expected.offsets);
  EXPECT_EQ(found.first_segment, expected.first_segment);
  EXPECT_EQ(found.row_ids, expected.row_ids);
  std::vector<std::string> labels;
  for (int64_t row = 0; row < found.rows() && !found.labels.empty(); ++row)
    labels.push_back(found.label(row));
  EXPECT_EQ(labels, expected.labels);
}

std::filesystem::path write_example(const RankFolder& folder, int64_t rows = 1001) {
  const auto path = folder.path / "features.h5";
  FeatureSlice test = share(folder, "test", rows / 10);
  test.labels.clear();
  write_feature_store(path, MPI_COMM_WORLD, example_info(),
                      {share(folder, "train", rows), test, share(folder, "scored", rows, true)});
  return path;
}

// The same content, whatever the number of ranks that wrote it.
TEST(FeatureStore, EveryRankReadsWhatAllRanksWrote) {
  const RankFolder folder;
  const auto path = write_example(folder);
  EXPECT_FALSE(std::filesystem::exists(path.string() + ".partial"));
  const FeatureStore store = read_feature_store(path);
  EXPECT_EQ(store.info.task, "MRPC");
  EXPECT_EQ(store.info.tokenizer_sha256, "cafe");
  EXPECT_EQ(store.info.max_seq_length, 128);
  EXPECT_EQ(store.info.train_limit, 7);
  EXPECT_EQ(store.info.second_segment_type, 1);
  EXPECT_EQ(store.splits.size(), 3u);
  expect_equal(*store.split("train"), example_rows("train", 0, 1001));
  expect_equal(*store.split("scored"), example_rows("scored", 0, 1001, true));
  EXPECT_EQ(store.split("test")->rows(), 100);
  EXPECT_TRUE(store.split("test")->labels.empty());
  EXPECT_HAS(error_of([&] { store.split("dev"); }),
             "has no split dev (it has scored, test, train)");
}

TEST(FeatureStore, ASplitMayBeEmpty) {
  const RankFolder folder;
  const auto path = folder.path / "empty.h5";
  write_feature_store(path, MPI_COMM_WORLD, example_info(), {example_rows("train", 0, 0)});
  const FeatureStore store = read_feature_store(path);
  expect_equal(*store.split("train"), example_rows("train", 0, 0));
}

// Many chunks: 1.5 million ids.
TEST(FeatureStore, LargeSplitsComeBack) {
  const RankFolder folder;
  const auto path = folder.path / "large.h5";
  write_feature_store(path, MPI_COMM_WORLD, example_info(), {share(folder, "train", 500'000)});
  expect_equal(*read_feature_store(path).split("train"), example_rows("train", 0, 500'000));
}

TEST(FeatureStore, AMistakeOfOneRankIsAnErrorOnAllAndLeavesNoFile) {
  const RankFolder folder;
  const auto path = folder.path / "features.h5";
  FeatureSlice s = share(folder, "train", 100);
  if (folder.rank == folder.ranks - 1) s.first_segment.pop_back();
  const auto write = [&] { write_feature_store(path, MPI_COMM_WORLD, example_info(), {s}); };
  EXPECT_HAS(error_of(write, ExitCode::kMachine), "split train: fields of different lengths");
  MPI_Barrier(MPI_COMM_WORLD);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path));
}

TEST(FeatureStore, AFolderThatIsGoneIsNotMadeAnew) {
  const RankFolder folder;
  const auto write = [&] {
    write_feature_store(folder.path / "gone" / "a.h5", MPI_COMM_WORLD, example_info(),
                        {share(folder, "train", 100)});
  };
  EXPECT_HAS(error_of(write, ExitCode::kMachine), "gone/a.h5.partial: cannot be made");
  EXPECT_FALSE(std::filesystem::exists(folder.path / "gone"));
}

// MPI-IO takes what stands before a colon for the kind of file system.
TEST(FeatureStore, ColonsInPathsAreAllowed) {
  const RankFolder folder;
  const auto sub = folder.make("a:b", [](const auto& path) { create_directory(path); });
  for (const auto* name : {"features.h5", "nfs:x:y.h5"}) {
    write_feature_store(sub / name, MPI_COMM_WORLD, example_info(), {share(folder, "train", 100)});
    expect_equal(*read_feature_store(sub / name).split("train"), example_rows("train", 0, 100));
  }
}

TEST(FeatureStore, RanksThatDisagreeAreFound) {
  const RankFolder folder;
  if (folder.ranks == 1) return;  // one rank cannot disagree
  const auto write = [&] {
    write_feature_store(folder.path / "a.h5", MPI_COMM_WORLD, example_info(),
                        {example_rows(folder.rank == 0 ? "train" : "dev", 0, 0)});
  };
  EXPECT_HAS(error_of(write, ExitCode::kMachine), "ranks describe it differently");
}

// ---- damage: each way is one change of the good file's bytes.

std::string damaged(const RankFolder& folder, const std::function<void(std::string&)>& change) {
  const auto good = write_example(folder);
  const auto bad = folder.make("bad.h5", [&](const auto& path) {
    std::string bytes = file_bytes(good);
    change(bytes);
    testing::write_bytes(path, bytes);
  });
  return error_of([&] { read_feature_store(bad); });
}

// Where the first id of row 500 stands.
size_t place_of_a_token(const std::string& bytes) {
  const int32_t token = 1000 * 500;
  return bytes.find(std::string(reinterpret_cast<const char*>(&token), 4));
}

TEST(FeatureStore, WhatTheChecksumsOfChunksMissTheSealFinds) {
  const RankFolder folder;
  const std::string error = damaged(folder, [](std::string& bytes) {
    const size_t at = place_of_a_token(bytes);
    ASSERT_NE(at, std::string::npos);
    bytes[at + 2] = bytes[at + 3] = '\xff';  // fletcher32 takes words of ones for words of zeros
  });
  EXPECT_HAS(error, "bad.h5: is damaged: it is not what was written");
}

// A store of another program has no seal.
TEST(FeatureStore, ADamagedChunkIsFound) {
  const RankFolder folder;
  const std::string error = damaged(folder, [](std::string& bytes) {
    bytes.erase(0, static_cast<size_t>(kSealBytes));
    const size_t at = place_of_a_token(bytes);
    ASSERT_NE(at, std::string::npos);
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
  });
  EXPECT_HAS(error, "bad.h5:/splits/");
  EXPECT_HAS(error, "/tokens: is damaged");
  EXPECT_HAS(error, "checksum");
  EXPECT_HAS(error, "make the stage that wrote this file again");
}

TEST(FeatureStore, ACutFileIsFound) {
  const RankFolder folder;
  for (const double part : {0.0, 0.1, 0.5, 0.99}) {
    const std::string error = damaged(folder, [&](std::string& bytes) {
      bytes.resize(static_cast<size_t>(part * bytes.size()));
    });
    EXPECT_HAS(error, "bad.h5: is no complete HDF5 file");
  }
}

// Any byte of HDF5's own structures and of the data may be hit: never a crash, and never other
// data.
TEST(FeatureStore, NoChangedByteGivesOtherRows) {
  const RankFolder folder;
  const auto good = write_example(folder, 40);
  const std::string bytes = file_bytes(good);
  const auto expected = example_rows("train", 0, 40);
  int64_t found = 0;
  for (size_t at = folder.rank * 7; at < bytes.size(); at += 7 * folder.ranks) {
    const auto bad = folder.path / ("bad" + std::to_string(folder.rank) + ".h5");
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    testing::write_bytes(bad, changed);
    try {
      expect_equal(*read_feature_store(bad).split("train"), expected);
    } catch (const Error& error) {
      EXPECT_EQ(static_cast<int>(error.code()), 2) << error.what();
      ++found;
    }
  }
  EXPECT_GT(found, 0);
}

TEST(FeatureStore, OtherVersionsAndKindsAreRefused) {
  const RankFolder folder;
  const auto with = [&](const std::string& format, int64_t version) {
    const auto path = folder.path / "other.h5";
    hdf5::File file = hdf5::File::create_parallel(path, MPI_COMM_WORLD, 0);
    file.root().set("format", format);
    file.root().set("format_version", version);
    file.close();
    MPI_Barrier(MPI_COMM_WORLD);
    const std::string error = error_of([&] { read_feature_store(path); });
    MPI_Barrier(MPI_COMM_WORLD);
    return error;
  };
  EXPECT_HAS(with("kdbench feature store", 99),
             "has format version 99, this program reads version 1");
  EXPECT_HAS(with("kdbench teacher store", 1),
             "is a kdbench teacher store, not a kdbench feature store");
}

}  // namespace
}  // namespace kdbench::feature_store_test
