// SPDX-License-Identifier: MIT
// Memory that the ranks of a host share: what is read arrives, errors come on all ranks, and
// without sharing each rank reads for itself.
#include "io/base/host_ranks.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <numeric>

#include "io/base/collective.h"
#include "io/base/host_message.h"
#include "io/stores/teacher_store_writer.h"
#include "tests/io/rank_folder.h"

namespace kdbench {
namespace {

using testing::error_of;
using testing::RankFolder;

struct Parts {
  std::string text;
  std::vector<int64_t> numbers;
  HostArray<float> values, none;
};
void travel(HostMessage& part, Parts& parts) {
  part(parts.text);
  part(parts.numbers);
  part(parts.values);
  part(parts.none);
}

// Text that is no UTF-8, as a label of a file may be.
Parts some_parts(const HostRanks& host, int64_t size) {
  return {"\xFFtext",
          {3, 1},
          HostArray<float>::filled(host, size,
                                   [&](float* values) { std::iota(values, values + size, 0.F); }),
          {}};
}

void expect_some_parts(const Parts& found, int64_t size) {
  EXPECT_EQ(found.text, "\xFFtext");
  EXPECT_EQ(found.numbers, (std::vector<int64_t>{3, 1}));
  ASSERT_EQ(found.values.size(), static_cast<size_t>(size));
  for (int64_t i = 0; i < size; ++i) ASSERT_EQ(found.values[i], static_cast<float>(i));
  EXPECT_TRUE(found.none.empty());
}

int ranks() { return Communicator(MPI_COMM_WORLD).size; }

// The files that this process may make have at most `bytes`, for the time of its life.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST(HostRanks, OneReadsAndAllHaveIt) {
  const HostRanks host(MPI_COMM_WORLD);
  EXPECT_EQ(host.obstacle(), "");
  EXPECT_EQ(host.share(), ranks() > 1);
  EXPECT_EQ(host.copies(), 1);
  int reads = 0;
  const Parts found = host.read_once<Parts>([&] {
    ++reads;
    return some_parts(host, 1'000'000);
  });
  expect_some_parts(found, 1'000'000);
  EXPECT_EQ(sum(Communicator(MPI_COMM_WORLD), reads), 1);
}

// The values stay when the rank that read them has let go of them.
TEST(HostRanks, ValuesLiveAsLongAsAnybodyHasThem) {
  const HostRanks host(MPI_COMM_WORLD);
  auto found =
      std::make_unique<Parts>(host.read_once<Parts>([&] { return some_parts(host, 5000); }));
  const HostArray<float> copy = found->values;
  if (host.rank() == 0) found.reset();
  MPI_Barrier(MPI_COMM_WORLD);
  if (found) expect_some_parts(*found, 5000);
  EXPECT_EQ(copy[4999], 4999.F);
}

TEST(HostRanks, AloneNothingIsCollective) {
  const HostRanks alone;
  if (Communicator(MPI_COMM_WORLD).rank != 0) return;
  expect_some_parts(alone.read_once<Parts>([&] { return some_parts(alone, 10); }), 10);
  EXPECT_HAS(error_of([&] { alone.agree([] { throw_user_error("file", "is damaged"); }); }),
             "file: is damaged");
}

// Even and odd ranks stand for two hosts, with other files each.
TEST(HostRanks, EachHostReadsForItself) {
  const Communicator world(MPI_COMM_WORLD);
  MPI_Comm half = MPI_COMM_NULL;
  MPI_Comm_split(MPI_COMM_WORLD, world.rank % 2, world.rank, &half);
  {
    const HostRanks host(half);
    EXPECT_EQ(host.size(), (world.size + 1 - world.rank % 2) / 2);
    const int64_t size = 100 + world.rank % 2;
    int reads = 0;
    const Parts found = host.read_once<Parts>([&] {
      ++reads;
      return some_parts(host, size);
    });
    expect_some_parts(found, size);
    EXPECT_EQ(sum(world, reads), std::min(world.size, 2));
  }
  MPI_Comm_free(&half);
}

TEST(HostRanks, WhatOneRankFindsIsThrownOnAll) {
  const HostRanks host(MPI_COMM_WORLD);
  const auto read = [&](const std::function<Parts()>& f) {
    return error_of([&] { host.read_once<Parts>(f); }, ExitCode::kUserInput);
  };
  EXPECT_HAS(read([]() -> Parts { throw_user_error("file", "is damaged"); }), "file: is damaged");
  if (host.size() == 1) return;  // as it was thrown
  const auto no_memory = [&] { host.read_once<Parts>([]() -> Parts { throw std::bad_alloc(); }); };
  EXPECT_HAS(error_of(no_memory, ExitCode::kMachine), "rank 0 of");
}

TEST(HostRanks, MemoryThatIsLackingIsAnErrorOnAll) {
  const HostRanks host(MPI_COMM_WORLD);
  if (!host.share()) return;
  const FileLimit limit(1 << 20);
  const auto read = [&](int64_t size) {
    return host.read_once<Parts>([&] { return some_parts(host, size); });
  };
  EXPECT_HAS(error_of([&] { read(1 << 20); }, ExitCode::kMachine),
             "memory of this host: 5 MB cannot be had");
  expect_some_parts(read(1 << 10), 1 << 10);
}

TEST(HostRanks, AnArrayOfOneRankIsNotSharedUnnoticed) {
  const HostRanks host(MPI_COMM_WORLD);
  if (!host.share()) return;
  EXPECT_HAS(error_of(
                 [&] {
                   host.read_once<Parts>([] {
                     Parts parts;
                     parts.values = std::vector<float>{1};
                     return parts;
                   });
                 },
                 ExitCode::kMachine),
             "was not made by HostArray::filled");
}

// Where memory cannot be shared at all, everybody has a copy.
TEST(HostRanks, WithoutSharedMemoryEachRankReads) {
  const FileLimit limit(0);
  const HostRanks host(MPI_COMM_WORLD);
  EXPECT_FALSE(host.share());
  EXPECT_EQ(host.copies(), ranks());
  if (ranks() > 1) {
    EXPECT_HAS(host.obstacle(), "cannot be had");
  }
  int reads = 0;
  const Parts found = host.read_once<Parts>([&] {
    ++reads;
    return some_parts(host, 1'000);
  });
  expect_some_parts(found, 1'000);
  EXPECT_EQ(reads, 1);
}

// ---- the stores

TEST(HostRanks, AFeatureStoreArrivesWhole) {
  const RankFolder folder;
  const HostRanks host(MPI_COMM_WORLD);
  const auto path = folder.make("features.h5", [](const auto& file) {
    FeatureSlice train, test;
    train.name = "train";
    train.source_sha256 = "source";
    train.tokens = {2, 5, 3, 2, 6, 7, 3};
    train.offsets = {0, 3, 7};
    train.first_segment = {3, 4};
    train.row_ids = {4, 1};
    train.labels = {"yes", "no"};
    test.name = "test";
    write_feature_store(file, MPI_COMM_SELF, {"RTE", "tokenizer", 16, 2, 0}, {train, test});
  });
  const FeatureStore store = read_feature_store(path, host);
  EXPECT_EQ(store.info.task, "RTE");
  EXPECT_EQ(store.info.tokenizer_sha256, "tokenizer");
  EXPECT_EQ(store.info.max_seq_length, 16);
  EXPECT_EQ(store.info.train_limit, 2);
  EXPECT_EQ(store.info.second_segment_type, 0);
  EXPECT_EQ(store.split("test")->rows(), 0);
  EXPECT_EQ(store.split("test")->offsets, std::vector<int64_t>{0});
  const FeatureSplit& train = *store.split("train");
  EXPECT_EQ(train.source_sha256, "source");
  EXPECT_EQ(train.tokens, (std::vector<int32_t>{2, 5, 3, 2, 6, 7, 3}));
  EXPECT_EQ(train.offsets, (std::vector<int64_t>{0, 3, 7}));
  EXPECT_EQ(train.first_segment, (std::vector<int32_t>{3, 4}));
  EXPECT_EQ(train.row_ids, (std::vector<int64_t>{4, 1}));
  EXPECT_EQ(train.label(0) + train.label(1), "yesno");
}

// Only the rank that reads sees a damaged file; the others hear of it.
TEST(HostRanks, ADamagedStoreIsAnErrorOnAll) {
  const RankFolder folder;
  const HostRanks host(MPI_COMM_WORLD);
  const auto path =
      folder.make("bad.h5", [](const auto& file) { testing::write_bytes(file, "no store"); });
  const auto own = host.rank() == 0 ? path : folder.path / "never looked at";
  for (const auto& read : std::vector<std::function<void()>>{
           [&] { read_feature_store(own, host); }, [&] { read_teacher_store(own, {}, host); }}) {
    EXPECT_HAS(error_of(read), "bad.h5: is no complete HDF5 file");
  }
}

TeacherSlice three_rows() {
  TeacherSlice split;
  split.name = "train";
  split.source_sha256 = "source";
  split.row_ids = {0, 2, 5};
  split.label_order = {"no", "yes"};
  split.classes = 2;
  split.logits = {0.5F, -1, 2, 0, 1, 1};
  split.cls_layers = {1, 4};
  split.hidden_size = 2;
  for (int i = 0; i < 12; ++i) split.cls.push_back(static_cast<float>(i));
  split.pooled = {7, 8, 9, 10, 11, 12};
  return split;
}

// In memory, and where the memory for the states is lacking.
TEST(HostRanks, ATeacherStoreArrivesWhole) {
  const RankFolder folder;
  const HostRanks host(MPI_COMM_WORLD);
  const auto path = folder.make("teacher.h5", [](const auto& file) {
    write_teacher_store(file, MPI_COMM_SELF, {"RTE", "checkpoint", "float32"}, {three_rows()});
  });
  for (const int64_t bytes : {24, 23}) {
    const auto store =
        read_teacher_store(path, {.cls = std::vector<int64_t>{4}, .cls_bytes = bytes}, host);
    EXPECT_EQ(store.info.checkpoint_sha256, "checkpoint");
    const TeacherSplit& found = *store.splits.at("train");
    EXPECT_EQ(found.source_sha256, "source");
    EXPECT_EQ(found.row_ids, three_rows().row_ids);
    EXPECT_EQ(found.label_order, three_rows().label_order);
    EXPECT_EQ(found.classes, 2);
    EXPECT_EQ(found.logits, three_rows().logits);
    EXPECT_EQ(found.pooled, three_rows().pooled);
    EXPECT_EQ(found.cls_layers, std::vector<int64_t>{4});
    EXPECT_EQ(found.hidden_size, 2);
    EXPECT_EQ(found.cls_on_disk == nullptr, bytes == 24);
    if (bytes == 24) {
      EXPECT_EQ(found.cls, (std::vector<float>{2, 3, 6, 7, 10, 11}));
    } else {
      EXPECT_TRUE(at::equal(found.cls_on_disk({2, 0}),
                            at::tensor({10.F, 11.F, 2.F, 3.F}).reshape({2, 1, 2})));
    }
  }
}

}  // namespace
}  // namespace kdbench
