// SPDX-License-Identifier: MIT
// States of tokens on their way to the disk and back, on any number of ranks.
#include "io/stores/hidden_states.h"

#include <gtest/gtest.h>

#include <numeric>
#include <tuple>

#include "io/batches/dataset.h"
#include "io/hdf5/store_seal.h"
#include "io/stores/teacher_store_writer.h"
#include "tests/io/rank_folder.h"

namespace kdbench::hidden_states_test {
namespace {

using testing::error_of;
using testing::file_bytes;
using testing::RankFolder;

constexpr int64_t kHidden = 5;
const std::vector<int64_t> kLayers{2, 5, 6};

// Rows of 0 to 8 tokens.
int64_t tokens_of(int64_t id) { return (id * 5) % 9; }

// A row whose states of the first layer occur nowhere else.
constexpr int64_t kMarked = 5001;

// Values that float16 holds exactly: they are made from row, token, layer and unit.
float state(int64_t id, int64_t token, size_t layer, int64_t unit) {
  if (id == kMarked && layer == 0) return static_cast<float>(3072 + 2 * unit);
  return static_cast<float>((id * 37 + token * 11 + static_cast<int64_t>(layer) * 5 + unit) % 2048);
}

HiddenLayout hidden_layout(const std::vector<int64_t>& ids) {
  HiddenLayout layout{kLayers, kHidden, {0}};
  for (const int64_t id : ids) layout.offsets.push_back(layout.offsets.back() + tokens_of(id));
  return layout;
}

std::vector<int64_t> some_ids(int64_t count) {
  std::vector<int64_t> ids(count);
  for (int64_t i = 0; i < count; ++i) ids[i] = 2 * i + (i > count / 2 ? 1 : 0);
  return ids;
}

TeacherStoreInfo example_info(const std::string& dtype = "float32") {
  TeacherStoreInfo info{"STS-B", "checkpoint", dtype};
  info.tokenizer_sha256 = "tokenizer";
  info.max_seq_length = 16;
  return info;
}

// Logits say the row id; there is one layer of [CLS] states.
TeacherSlice one_layer() {
  TeacherSlice split;
  split.name = "train";
  split.source_sha256 = "source";
  split.classes = 1;
  split.cls_layers = {2};
  split.hidden_size = kHidden;
  return split;
}

void add_row(TeacherSlice& split, int64_t id) {
  split.row_ids.push_back(id);
  split.logits.push_back(static_cast<float>(id));
  split.cls.insert(split.cls.end(), kHidden, static_cast<float>(id % 100));
}

// Every window's rows, dealt over the ranks; with 3 ranks the middle one has none.
TeacherSlice write_windows(const RankFolder& folder, const std::vector<int64_t>& ids,
                           HiddenWriter& writer) {
  TeacherSlice split = one_layer();
  const auto owner = [&](int64_t row) {
    return folder.ranks == 3 ? (row % 3 == 0 ? 2 : 0) : static_cast<int>(row % folder.ranks);
  };
  for (auto [row, end] = writer.window(); row < end; std::tie(row, end) = writer.window()) {
    std::vector<int64_t> rows;
    std::vector<float> states;
    for (; row < end; ++row) {
      if (owner(row) != folder.rank) continue;
      rows.push_back(row);
      add_row(split, ids[row]);
      for (int64_t token = 0; token < tokens_of(ids[row]); ++token) {
        for (size_t layer = 0; layer < kLayers.size(); ++layer) {
          for (int64_t k = 0; k < kHidden; ++k) states.push_back(state(ids[row], token, layer, k));
        }
      }
    }
    writer.write(rows, states);
  }
  return split;
}

std::filesystem::path write_hidden(const RankFolder& folder, const std::vector<int64_t>& ids,
                                   const std::string& dtype = "float32") {
  const auto path = folder.path / "hidden.h5";
  write_teacher_store(path, MPI_COMM_WORLD, example_info(dtype), 1 << 20,
                      [&](TeacherStoreWriter& writer) {
                        HiddenWriter& hidden = writer.hidden("train", hidden_layout(ids));
                        writer.add(write_windows(folder, ids, hidden));
                      });
  return path;
}

// (tokens of `rows`, layers, H), of the columns `layers` of kLayers.
at::Tensor expected_states(const std::vector<int64_t>& ids, const std::vector<int64_t>& rows,
                           const std::vector<size_t>& layers) {
  std::vector<float> values;
  for (const int64_t row : rows) {
    for (int64_t token = 0; token < tokens_of(ids[row]); ++token) {
      for (const size_t layer : layers) {
        for (int64_t k = 0; k < kHidden; ++k) values.push_back(state(ids[row], token, layer, k));
      }
    }
  }
  return at::tensor(values).reshape({-1, static_cast<int64_t>(layers.size()), kHidden});
}

TEST(HiddenStates, AnyRowsAndLayersComeBackInTheOrderAsked) {
  for (const char* dtype : {"float32", "float16", "bfloat16"}) {
    const RankFolder folder;
    const auto ids = some_ids(3000);
    const TeacherStore store = read_teacher_store(write_hidden(folder, ids, dtype));
    const auto hidden = store.splits.at("train")->hidden;
    ASSERT_TRUE(hidden);
    EXPECT_EQ(store.splits.at("train")->row_ids, ids);
    EXPECT_EQ(store.splits.at("train")->logits, std::vector<float>(ids.begin(), ids.end()));
    EXPECT_EQ(store.info.tokenizer_sha256, "tokenizer");
    EXPECT_EQ(store.info.max_seq_length, 16);
    EXPECT_EQ(hidden->layers(), kLayers);
    EXPECT_EQ(hidden->length(7), tokens_of(ids[7]));
    const std::vector<int64_t> rows{2999, 5, 6, 7, 5, 1500, 0, 9};  // 5 twice; 0 and 9 are empty
    const double error = dtype[0] == 'b' ? 1.0 / 256 : 0;
    EXPECT_TRUE(at::allclose(hidden->read(rows), expected_states(ids, rows, {0, 1, 2}), error, 0));
    const auto chosen = hidden->with_layers({6, 2});
    EXPECT_EQ(chosen->layers(), (std::vector<int64_t>{6, 2}));
    EXPECT_TRUE(at::allclose(chosen->read(rows), expected_states(ids, rows, {2, 0}), error, 0));
    EXPECT_EQ(hidden->with_layers({6, 3}), nullptr);
    EXPECT_EQ(hidden->read({}).sizes(), (at::IntArrayRef{0, 3, kHidden}));
    std::vector<int64_t> all(ids.size());
    std::iota(all.begin(), all.end(), 0);
    EXPECT_TRUE(at::allclose(hidden->read(all), expected_states(ids, all, {0, 1, 2}), error, 0));
    EXPECT_NO_THROW(hidden->verify(folder.rank, folder.ranks));
  }
}

// Over 100 MB of states, in windows of 32 MB a rank that end within chunks.
TEST(HiddenStates, MoreThanOneWindowComesBack) {
  const RankFolder folder;
  HiddenLayout layout{{1}, 768, {0}};
  for (int64_t row = 0; row < 1000; ++row) layout.offsets.push_back(layout.offsets.back() + 37);
  TeacherSlice split;
  split.name = "train";
  split.classes = 1;
  split.hidden_size = 768;
  int windows = 0;
  const auto fill = [&](TeacherStoreWriter& writer) {
    HiddenWriter& hidden = writer.hidden("train", layout);
    for (auto [row, end] = hidden.window(); row < end; std::tie(row, end) = hidden.window()) {
      std::vector<int64_t> rows;
      std::vector<float> states;
      for (; row < end; ++row) {
        if (row % folder.ranks != folder.rank) continue;
        rows.push_back(row);
        states.insert(states.end(), 37 * 768, static_cast<float>(row));
        split.row_ids.push_back(row);
        split.logits.push_back(0);
      }
      hidden.write(rows, states);
      ++windows;
    }
    writer.add(split);
  };
  const auto path = folder.path / "windows.h5";
  write_teacher_store(path, MPI_COMM_WORLD, example_info(), 120 << 20, fill);
  EXPECT_EQ(windows, folder.ranks == 1 ? 4 : 2);
  const auto found = read_teacher_store(path).splits.at("train")->hidden;
  for (int64_t row = folder.rank; row < 1000; row += folder.ranks) {
    const at::Tensor states = found->read({row});
    ASSERT_EQ(states.size(0), 37);
    ASSERT_TRUE(states.eq(static_cast<float>(row)).all().item<bool>()) << row;
  }
}

TEST(HiddenStates, OnlyTheWantedOnesAreOpened) {
  const RankFolder folder;
  const auto path = write_hidden(folder, some_ids(20));
  const auto without = read_teacher_store(path, {{{2}}, {{}}}).splits.at("train");
  EXPECT_EQ(without->hidden, nullptr);
  EXPECT_EQ(without->cls_layers, std::vector<int64_t>{2});
  const auto one = read_teacher_store(path, {{{}}, {{5}}}).splits.at("train");
  EXPECT_TRUE(one->cls.empty());
  EXPECT_EQ(one->hidden->layers(), std::vector<int64_t>{5});
  EXPECT_HAS(error_of([&] {
               read_teacher_store(path, {{{}}, {{5, 4}}});
             }),
             "hold no hidden states of layer 4 (they have layers [2, 5, 6]");
}

TEST(HiddenStates, AMissingRowIsAnError) {
  const RankFolder folder;
  const auto ids = some_ids(9);
  const auto write = [&] {
    write_teacher_store(folder.path / "t.h5", MPI_COMM_WORLD, example_info(), 1 << 20,
                        [&](TeacherStoreWriter& writer) {
                          writer.hidden("train", hidden_layout(ids)).write({}, {});
                        });
  };
  EXPECT_HAS(error_of(write, ExitCode::kMachine), "hidden: a row is missing");
  MPI_Barrier(MPI_COMM_WORLD);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path));
}

TEST(HiddenStates, DamageIsFoundWhenItIsRead) {
  const RankFolder folder;
  const auto ids = some_ids(3000);
  const auto good = write_hidden(folder, ids);
  const auto bad = folder.make("bad.h5", [&](const auto& path) {
    std::string bytes = file_bytes(good);
    bytes.erase(0, static_cast<size_t>(kSealBytes));  // as a store of another program
    const at::Tensor row = expected_states(ids, {2500}, {0}).contiguous();
    const auto at = bytes.find(std::string(static_cast<const char*>(row.const_data_ptr()), 20));
    ASSERT_NE(at, std::string::npos);
    bytes[at + 3] = static_cast<char>(bytes[at + 3] ^ 0x40);
    testing::write_bytes(path, bytes);
  });
  const auto hidden = read_teacher_store(bad).splits.at("train")->hidden;
  EXPECT_NO_THROW(hidden->read({1}));
  EXPECT_HAS(error_of([&] { hidden->read({2500}); }), "bad.h5:/splits/train/hidden: is damaged");
  EXPECT_HAS(error_of([&] { hidden->verify(0, 1); }), "is damaged");
  EXPECT_NO_THROW(hidden->with_layers({5})->verify(0, 1));  // other chunks
}

TEST(HiddenStates, OtherTokensAreRefused) {
  const TeacherStoreInfo store = example_info();
  FeatureStoreInfo features{"STS-B", "tokenizer", 16, 0, 1};
  EXPECT_NO_THROW(check_hidden_matches(store, features));
  features.max_seq_length = 32;
  EXPECT_HAS(error_of([&] { check_hidden_matches(store, features); }),
             "cut at max_seq_length 16, not 32");
  features.tokenizer_sha256 = "other";
  EXPECT_HAS(error_of([&] { check_hidden_matches(store, features); }),
             "another tokenizer's tokens (tokenizer, not other)");
}

// Through the data set: rows by id, the states beside the tokens they belong to.
TEST(HiddenStates, BatchesHoldThem) {
  const RankFolder folder;
  const auto ids = some_ids(40);
  const auto teacher =
      read_teacher_store(write_hidden(folder, ids), {{{}}, {{6}}}).splits.at("train");
  FeatureSlice features;
  features.name = "train";
  features.source_sha256 = "source";
  features.row_ids = {ids[30], ids[4], ids[11]};
  for (const int64_t id : features.row_ids) {
    features.tokens.insert(features.tokens.end(), tokens_of(id), 3);
    features.offsets.push_back(static_cast<int64_t>(features.tokens.size()));
    features.first_segment.push_back(0);
  }
  const auto dataset = [&] {
    return make_dataset(std::make_shared<FeatureSplit>(features), {}, teacher);
  };
  const auto data = dataset();
  const Batch batch = data->batch({2, 0}, 8);
  const Ragged& hidden = batch.ragged_field(field::kTeacherHidden);
  EXPECT_TRUE(at::equal(hidden.offsets, batch.ragged_field(field::kTokens).offsets));
  EXPECT_TRUE(at::equal(hidden.values, expected_states(ids, {11, 30}, {2})));
  EXPECT_EQ(data->batch({}, 8).ragged_field(field::kTeacherHidden).values.sizes(),
            (at::IntArrayRef{0, 1, kHidden}));
  features.tokens.push_back(3);
  ++features.offsets.back();
  EXPECT_HAS(error_of([&] { dataset(); }), "for row id " + std::to_string(ids[11]) +
                                               ", which has " +
                                               std::to_string(tokens_of(ids[11]) + 1));
}

}  // namespace
}  // namespace kdbench::hidden_states_test
