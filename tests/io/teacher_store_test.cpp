// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "io/hdf5/hdf5.h"
#include "io/hdf5/store_seal.h"
#include "io/stores/teacher_store_writer.h"
#include "tests/io/rank_folder.h"
#include "tests/support/feature_rows.h"

namespace kdbench::teacher_store_test {
namespace {

using testing::error_of;
using testing::features_of;
using testing::file_bytes;
using testing::RankFolder;

constexpr int64_t kClasses = 3, kHidden = 5;
const std::vector<int64_t> kLayers{2, 4, 6, 12};

TeacherSlice empty_split() {
  TeacherSlice s;
  s.name = "train";
  s.source_sha256 = "source";
  s.label_order = {"no", "maybe", "yes"};
  s.classes = kClasses;
  s.cls_layers = kLayers;
  s.hidden_size = kHidden;
  return s;
}

// Every value is made from its row id and place, so any mix-up shows.
float value(int64_t id, int64_t place) {
  return static_cast<float>(id) + static_cast<float>(place) / 1024;
}

void add_row(TeacherSlice& s, int64_t id) {
  s.row_ids.push_back(id);
  for (int64_t c = 0; c < kClasses; ++c) s.logits.push_back(value(id, 900 + c));
  for (size_t k = 0; k < kLayers.size() * kHidden; ++k)
    s.cls.push_back(value(id, static_cast<int64_t>(k)));
  for (int64_t k = 0; k < kHidden; ++k) s.pooled.push_back(value(id, 500 + k));
}

TeacherSlice ascending(const std::vector<int64_t>& ids) {
  TeacherSlice s = empty_split();
  for (const int64_t id : ids) add_row(s, id);
  return s;
}

std::vector<int64_t> some_ids(int64_t count) {
  std::vector<int64_t> ids(count);
  for (int64_t i = 0; i < count; ++i) ids[i] = 2 * i + (i > count / 2 ? 1 : 0);
  return ids;
}

// A shuffled deal of `ids` over the ranks; with 3 ranks the middle one gets nothing, not even the
// layout.
TeacherSlice dealt(const RankFolder& folder, std::vector<int64_t> ids) {
  std::shuffle(ids.begin(), ids.end(), std::mt19937(5));
  TeacherSlice s = empty_split();
  if (folder.ranks == 3 && folder.rank == 1) {
    s = TeacherSlice();
    s.name = "train";
    s.source_sha256 = "source";
    return s;
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    const int owner = folder.ranks == 3 ? (i % 3 == 0 ? 2 : 0) : static_cast<int>(i % folder.ranks);
    if (owner == folder.rank) add_row(s, ids[i]);
  }
  return s;
}

TeacherStoreInfo example_info(const std::string& dtype = "float32") {
  return {"MNLI", "checkpoint", dtype};
}

std::filesystem::path write_example(const RankFolder& folder, const std::vector<int64_t>& ids,
                                    const std::string& dtype = "float32") {
  const auto path = folder.path / "teacher.h5";
  write_teacher_store(path, MPI_COMM_WORLD, example_info(dtype), {dealt(folder, ids)});
  return path;
}

TEST(TeacherStore, RowsOfAnyOrderAndRankAreStoredInAscendingId) {
  const RankFolder folder;
  const auto ids = some_ids(1000);
  const TeacherStore store = read_teacher_store(write_example(folder, ids));
  EXPECT_EQ(store.info.task, "MNLI");
  EXPECT_EQ(store.info.checkpoint_sha256, "checkpoint");
  EXPECT_EQ(store.info.store_dtype, "float32");
  ASSERT_EQ(store.splits.count("train"), 1u);
  const TeacherSplit& found = *store.splits.at("train");
  const TeacherSlice expected = ascending(ids);
  EXPECT_EQ(found.name, "train");
  EXPECT_EQ(found.source_sha256, "source");
  EXPECT_EQ(found.row_ids, expected.row_ids);
  EXPECT_EQ(found.label_order, expected.label_order);
  EXPECT_EQ(found.classes, kClasses);
  EXPECT_EQ(found.cls_layers, kLayers);
  EXPECT_EQ(found.hidden_size, kHidden);
  EXPECT_EQ(found.logits, expected.logits);
  EXPECT_EQ(found.cls, expected.cls);
  EXPECT_EQ(found.pooled, expected.pooled);
}

// Blocks of `expected` for the layers of these places in kLayers.
std::vector<float> blocks(const TeacherSlice& expected, const std::vector<int64_t>& places) {
  std::vector<float> values;
  for (int64_t row = 0; row < expected.rows(); ++row) {
    for (const int64_t place : places) {
      const auto at =
          expected.cls.begin() + (row * static_cast<int64_t>(kLayers.size()) + place) * kHidden;
      values.insert(values.end(), at, at + kHidden);
    }
  }
  return values;
}

TEST(TeacherStore, LayersAreChosenInTheOrderAskedFor) {
  const RankFolder folder;
  const auto ids = some_ids(1000);
  const auto path = write_example(folder, ids);
  const auto read = [&](const std::vector<int64_t>& layers) {
    return read_teacher_store(path, {.cls = layers, .pooled = false}).splits.at("train");
  };
  const auto chosen = read({12, 4});
  EXPECT_EQ(chosen->cls_layers, (std::vector<int64_t>{12, 4}));
  EXPECT_EQ(chosen->cls, blocks(ascending(ids), {3, 1}));
  EXPECT_EQ(chosen->logits, ascending(ids).logits);
  EXPECT_TRUE(chosen->pooled.empty());
  EXPECT_TRUE(read({})->cls.empty());
  EXPECT_HAS(error_of([&] {
               read({2, 3});
             }),
             "hold no [CLS] states of layer 3 (they have layers [2, 4, 6, 12]; export them again)");
  EXPECT_TRUE(read_teacher_store(path, {.split = "dev"}).splits.empty());
}

TEST(TeacherStore, StatesThatTakeTooMuchAreReadBatchByBatch) {
  for (const char* dtype : {"float32", "bfloat16"}) {
    const RankFolder folder;
    const auto ids = some_ids(1000);
    const auto path = write_example(folder, ids, dtype);
    constexpr int64_t kBytes = 1000 * 2 * kHidden * 4;
    const auto read = [&](int64_t bytes) {
      return read_teacher_store(path, {.cls = std::vector<int64_t>{12, 4}, .cls_bytes = bytes})
          .splits.at("train");
    };
    const auto fits = read(kBytes), too_much = read(kBytes - 1);
    EXPECT_EQ(fits->cls_on_disk, nullptr);
    ASSERT_EQ(fits->cls.size(), 1000u * 2 * kHidden);
    EXPECT_TRUE(too_much->cls.empty());
    ASSERT_NE(too_much->cls_on_disk, nullptr);
    const at::Tensor all = at::tensor(at::ArrayRef<float>(fits->cls.data(), fits->cls.size()))
                               .reshape({1000, 2, kHidden});
    const at::Tensor rows = too_much->cls_on_disk({999, 0, 500, 0});
    EXPECT_TRUE(at::equal(rows, all.index_select(0, at::tensor({999, 0, 500, 0}, at::kLong))));
    EXPECT_EQ(too_much->cls_on_disk({}).sizes(), (at::IntArrayRef{0, 2, kHidden}));
  }
}

// 92 MB of [CLS] states: several windows of the exchange on every number of ranks.
TEST(TeacherStore, MoreThanOneWindowComesBack) {
  const RankFolder folder;
  const int64_t rows = 30'000, hidden = 768;
  TeacherSlice s;
  s.name = "train";
  s.label_order = {"a", "b"};
  s.classes = 2;
  s.cls_layers = {6};
  s.hidden_size = hidden;
  for (int64_t id = rows - 1; id >= 0; --id) {
    if (id % folder.ranks != folder.rank) continue;
    s.row_ids.push_back(id);
    s.logits.insert(s.logits.end(), {value(id, 0), value(id, 1)});
    s.cls.insert(s.cls.end(), hidden, static_cast<float>(id));
  }
  const auto path = folder.path / "large.h5";
  write_teacher_store(path, MPI_COMM_WORLD, example_info(), {s});
  const auto found = read_teacher_store(path).splits.at("train");
  ASSERT_EQ(found->rows(), rows);
  int64_t wrong = 0;
  for (int64_t i = 0; i < rows; ++i) {
    wrong += found->row_ids[i] != i || found->logits[2 * i + 1] != value(i, 1);
    for (int64_t k = 0; k < hidden; ++k)
      wrong += found->cls[i * hidden + k] != static_cast<float>(i);
  }
  EXPECT_EQ(wrong, 0);
}

// 8 and 11 bits of mantissa: relative errors of at most 2^-9 and 2^-12. Logits stay exact.
TEST(TeacherStore, ShorterTypesRoundHiddenStatesOnly) {
  for (const auto& [dtype, error] :
       {std::pair{"float16", 1.0 / 2048}, std::pair{"bfloat16", 1.0 / 256}}) {
    const RankFolder folder;
    const auto ids = some_ids(500);
    const TeacherStore store = read_teacher_store(write_example(folder, ids, dtype));
    EXPECT_EQ(store.info.store_dtype, dtype);
    const TeacherSlice expected = ascending(ids);
    const TeacherSplit& found = *store.splits.at("train");
    EXPECT_EQ(found.logits, expected.logits);
    ASSERT_EQ(found.cls.size(), expected.cls.size());
    ASSERT_EQ(found.pooled.size(), expected.pooled.size());
    bool rounded = false;
    for (size_t i = 0; i < found.cls.size(); ++i) {
      EXPECT_LE(std::abs(found.cls[i] - expected.cls[i]), error * expected.cls[i])
          << dtype << " " << i;
      rounded = rounded || found.cls[i] != expected.cls[i];
    }
    EXPECT_TRUE(rounded);
  }
}

TEST(TeacherStore, ATooLargeStateIsRefusedByFloat16) {
  const RankFolder folder;
  TeacherSlice s = dealt(folder, some_ids(100));
  if (folder.rank == 0) s.pooled[7] = 70'000;
  const auto write = [&] {
    write_teacher_store(folder.path / "t.h5", MPI_COMM_WORLD, example_info("float16"), {s});
  };
  EXPECT_HAS(error_of(write), "store_dtype = float16: a hidden state is too large");
  MPI_Barrier(MPI_COMM_WORLD);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path));
  const auto other = [&] {
    write_teacher_store(folder.path / "t.h5", MPI_COMM_WORLD, example_info("int8"), {s});
  };
  EXPECT_HAS(error_of(other), "int8");
}

TEST(TeacherStore, LogitsAloneAndRegression) {
  const RankFolder folder;
  TeacherSlice s;
  s.name = "dev";
  s.classes = 1;
  if (folder.rank == folder.ranks - 1) {
    s.row_ids = {4, 2};
    s.logits = {0.5f, -1.f};
  }
  write_teacher_store(folder.path / "t.h5", MPI_COMM_WORLD, {"STS-B", "", "bfloat16"}, {s});
  const TeacherStore store = read_teacher_store(folder.path / "t.h5");
  const TeacherSplit& found = *store.splits.at("dev");
  EXPECT_EQ(found.row_ids, (std::vector<int64_t>{2, 4}));
  EXPECT_EQ(found.logits, (std::vector<float>{-1.f, 0.5f}));
  EXPECT_EQ(found.classes, 1);
  EXPECT_TRUE(found.label_order.empty());
  EXPECT_TRUE(found.cls_layers.empty() && found.cls.empty() && found.pooled.empty());
}

TEST(TeacherStore, NoRowsAtAll) {
  const RankFolder folder;
  write_teacher_store(folder.path / "t.h5", MPI_COMM_WORLD, example_info(), {empty_split()});
  const TeacherStore store = read_teacher_store(folder.path / "t.h5");
  EXPECT_EQ(store.splits.at("train")->rows(), 0);
  EXPECT_EQ(store.splits.at("train")->classes, kClasses);
}

TEST(TeacherStore, ARowOnTwoRanksIsAnError) {
  const RankFolder folder;
  TeacherSlice s = empty_split();
  add_row(s, 10 + folder.rank);
  if (folder.rank == folder.ranks - 1) add_row(s, 10);
  const auto write = [&] {
    write_teacher_store(folder.path / "t.h5", MPI_COMM_WORLD, example_info(), {s});
  };
  EXPECT_HAS(error_of(write, ExitCode::kMachine), "row id 10 is given twice");
  MPI_Barrier(MPI_COMM_WORLD);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path));
}

TEST(TeacherStore, DamageAndOtherVersionsAreFound) {
  const RankFolder folder;
  const auto good = write_example(folder, some_ids(1000));
  const auto changed = [&](const std::function<void(std::string&)>& change) {
    const auto bad = folder.make("bad.h5", [&](const auto& path) {
      std::string bytes = file_bytes(good);
      change(bytes);
      testing::write_bytes(path, bytes);
    });
    const std::string error = error_of([&] { read_teacher_store(bad); });
    MPI_Barrier(MPI_COMM_WORLD);
    return error;
  };
  const auto flip = [](std::string& bytes) {
    const float state = value(500, 7);
    const auto at = bytes.find(std::string(reinterpret_cast<const char*>(&state), 4));
    ASSERT_NE(at, std::string::npos);
    bytes[at + 3] = static_cast<char>(bytes[at + 3] ^ 0x40);
  };
  EXPECT_HAS(changed(flip), "bad.h5: is damaged: it is not what was written");
  EXPECT_HAS(changed([&](std::string& bytes) {
               bytes.erase(0, static_cast<size_t>(kSealBytes));
               flip(bytes);
             }),
             "bad.h5:/splits/train/cls: is damaged");
  EXPECT_HAS(changed([](std::string& bytes) { bytes.resize(bytes.size() / 2); }),
             "is no complete HDF5 file");
  EXPECT_HAS(changed([](std::string& bytes) { bytes = "no"; }), "is no complete HDF5 file");
}

TEST(TeacherStore, ValuesThatAreNoNumbersAreRefused) {
  const RankFolder folder;
  for (const char* dtype : {"float32", "bfloat16"}) {
    TeacherSlice s = dealt(folder, some_ids(10));
    if (folder.rank == 0) (dtype[0] == 'f' ? s.logits : s.cls)[1] = NAN;
    write_teacher_store(folder.path / "t.h5", MPI_COMM_WORLD, example_info(dtype), {s});
    EXPECT_HAS(error_of([&] { read_teacher_store(folder.path / "t.h5"); }),
               dtype[0] == 'f' ? "/splits/train/logits: holds NaN or infinity"
                               : "/splits/train/cls: holds NaN or infinity");
    MPI_Barrier(MPI_COMM_WORLD);
  }
}

// ---- matching

TEST(TeacherStore, AnotherSourceCheckpointOrRowsAreRefused) {
  TeacherStore store;
  store.info = example_info();
  const TeacherSplit teacher(ascending({0, 1, 2, 5}));
  FeatureSplit features = features_of({5, 0});
  EXPECT_NO_THROW(check_teacher_matches(store, teacher, features, "checkpoint"));
  EXPECT_NO_THROW(check_teacher_matches(store, teacher, features, ""));
  EXPECT_HAS(error_of([&] { check_teacher_matches(store, teacher, features, "other"); }),
             "another checkpoint");
  EXPECT_HAS(error_of([&] {
               check_teacher_matches(store, teacher, features_of({0, 3, 4}), "");
             }),
             "lack 2 of 3 rows, the first is row id 3");
  features.source_sha256 = "changed";
  EXPECT_HAS(error_of([&] { check_teacher_matches(store, teacher, features, ""); }),
             "another source file");
}

}  // namespace
}  // namespace kdbench::teacher_store_test
