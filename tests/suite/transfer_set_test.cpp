// SPDX-License-Identifier: MIT
// A transfer set on any number of ranks against one made row by row with a plain set of strings.
#include "suite/transfer/transfer_set.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "io/words/penn_words.h"
#include "suite/transfer/first_seen.h"
#include "tests/io/rank_folder.h"
#include "tests/support/mutation.h"

namespace kdbench::transfer_set_test {
namespace {

using testing::file_bytes;
using testing::RankFolder;

// Some rows twice, one blank, of few words: variations meet each other and the originals.
GlueFile rows_of(int64_t count, bool pair) {
  const std::vector<std::string> words{"a", "b", "c", "d", "e"};
  GlueFile file;
  for (int64_t i = 0; i < count; ++i) {
    GlueRow row;
    row.row_id = 2 * i;  // some lines of the file were left out
    const int64_t n = i % 7 == 3 ? 0 : 1 + i % 5;
    for (int64_t k = 0; k < n; ++k)
      row.text_a += words[static_cast<size_t>((i * i + 3 * k) % 5)] + " ";
    if (pair) row.text_b = i % 11 == 5 ? "" : words[static_cast<size_t>(i % 5)] + "; x";
    file.rows.push_back(row);
  }
  return file;
}

const FileLayout& layout(bool pair) {
  static const FileLayout single = set_layout(find_task("CoLA")),
                          two = set_layout(find_task("QQP"));
  return pair ? two : single;
}

struct Made {
  TransferCounts counts;
  std::string bytes;
};

Made made(const GlueFile& file, bool pair, const TransferOptions& options, const Control& control,
          const std::filesystem::path& path) {
  const SourceRows source = source_rows(file, pair, nullptr, options, control);
  const TransferCounts counts = write_transfer_set(source, options, layout(pair), path, control);
  return {counts, file_bytes(path)};
}

// The plain form: every row in turn, a set of all texts.
std::string reference(const GlueFile& file, bool pair, const TransferOptions& options) {
  const Control alone;
  TransferOptions with_texts = options;
  with_texts.originals = true;
  const SourceRows source = source_rows(file, pair, nullptr, with_texts, alone);
  TextVariations variations(options.rules, source.dictionary);
  std::set<std::string> seen, kept;
  const auto key = [&](size_t row) {
    const std::string a = text_of(source.a.row(row), source.dictionary);
    return pair ? a + "\t" + text_of(source.b.row(row), source.dictionary) : a;
  };
  for (size_t row = 0; row < file.rows.size(); ++row) seen.insert(key(row));
  std::string lines = pair ? "id\tquestion1\tquestion2\n" : "index\tsentence\n", text;
  int64_t index = 0;
  for (size_t row = 0; row < file.rows.size(); ++row) {
    if (options.originals && kept.insert(key(row)).second)
      lines += fmt::format("{}\t{}\n", index++, source.texts[row]);
    for (int64_t i = 0; i < options.rules.iterations(pair); ++i) {
      const int64_t id = file.rows[row].row_id;
      const Variation variation =
          pair ? variations.pair(source.a.row(row), source.b.row(row), id, i, text)
               : variations.single(source.a.row(row), id, i, text);
      if (variation == Variation::kEnded) break;
      if (variation <= Variation::kBoth && seen.insert(text).second)
        lines += fmt::format("{}\t{}\n", index++, text);
    }
  }
  return lines;
}

TEST(TransferSet, IsTheSameOnAnyNumberOfRanks) {
  const Control world(MPI_COMM_WORLD), alone;
  const RankFolder folder;
  for (const bool pair : {false, true}) {
    for (const bool quirks : {false, true}) {
      // 9,001 rows of 20 iterations are several windows; fewer rows than ranks are fine.
      for (const int64_t count : {1, 3, 150, 9001}) {
        const GlueFile file = rows_of(count, pair);
        const TransferOptions options{.rules = {.mask_prob = 0.2,
                                                .random_prob = 0.3,

                                                .window_quirks = quirks,
                                                .seed = 5},
                                      .originals = quirks};
        const auto name = fmt::format("set-{}-{}-{}", pair, quirks, count);
        const Made here = made(file, pair, options, world, folder.path / name);
        MPI_Barrier(MPI_COMM_WORLD);
        const std::string expected = reference(file, pair, options);
        EXPECT_EQ(file_bytes(folder.path / name), expected) << name;
        const Made one = made(file, pair, options, alone,
                              folder.path / fmt::format("{}-alone-{}", name, folder.rank));
        EXPECT_EQ(one.bytes, expected) << name;
        EXPECT_EQ(here.counts, one.counts) << name;
        EXPECT_FALSE(std::filesystem::exists(folder.path / (name + ".partial")));
      }
    }
  }
}

TEST(TransferSet, CountsAddUp) {
  const Control world(MPI_COMM_WORLD);
  const RankFolder folder;
  for (const bool pair : {false, true}) {
    const GlueFile file = rows_of(200, pair);
    const auto [counts, bytes] =
        made(file, pair, {.rules = {.n_iter = 7}, .originals = true}, world, folder.path / "set");
    int64_t drawn = 0, written = 0;
    for (const int64_t n : counts.drawn) drawn += n;
    for (const int64_t n : counts.written) written += n;
    EXPECT_EQ(drawn, 200 * 7);
    EXPECT_EQ(counts.rows_in, 200);
    EXPECT_EQ(counts.rows_out, written + counts.originals);
    const auto at = [&](Variation v) { return counts.drawn[static_cast<size_t>(v)]; };
    EXPECT_EQ(written + counts.duplicates,
              drawn - at(Variation::kAllReplaced) - at(Variation::kBlank));
    EXPECT_EQ(at(Variation::kBlank) > 0, pair);
    EXPECT_GT(counts.duplicates, 0);
    EXPECT_LT(counts.originals, 200);  // equal ones once
  }
}

// A tag's words come from the rows of all ranks.
TEST(SourceRows, TheDictionaryIsOfAllRanksRows) {
  const Control world(MPI_COMM_WORLD), alone;
  const GlueFile file = rows_of(60, true);
  const SourceRows here = source_rows(file, true, nullptr, {}, world);
  const SourceRows all = source_rows(file, true, nullptr, {}, alone);
  ASSERT_EQ(here.dictionary.size(), all.dictionary.size());
  for (int32_t i = 0; i < all.dictionary.size(); ++i) {
    EXPECT_EQ(here.dictionary.word(i), all.dictionary.word(i));
    for (const uint64_t random : {uint64_t{0}, uint64_t{1} << 62, ~uint64_t{0}})
      EXPECT_EQ(here.dictionary.draw(i, random), all.dictionary.draw(i, random));
  }
  EXPECT_EQ(world.sum(static_cast<int64_t>(here.row_ids.size())), 60);
}

TEST(FirstSeen, OfEqualTextsTheLowestRanksFirstOneCounts) {
  const Control world(MPI_COMM_WORLD);
  FirstSeen seen(world);
  // Every rank has "same" twice and one of its own; the last rank has none at all.
  std::vector<TextHash128> hashes;
  const bool none = world.size() > 1 && world.rank() == world.size() - 1;
  if (!none)
    hashes = {hash_of("same"), hash_of(fmt::format("own {}", world.rank())), hash_of("same")};
  const std::vector<char> first = seen.first(hashes);
  if (none) {
    EXPECT_TRUE(first.empty());
  } else {
    EXPECT_EQ(first, (std::vector<char>{world.rank() == 0, 1, 0}));
  }
  for (const char again : seen.first(hashes)) EXPECT_EQ(again, 0);
  const int64_t with_texts = std::max(1, world.size() - 1);
  EXPECT_EQ(world.sum(seen.owned().size()), 1 + with_texts);
}

TEST(TextHash, IsFnv1a) {
  // The published values of the empty text and of "a" (128 bits).
  EXPECT_EQ(hash_of(""), (TextHash128{0x6C62272E07BB0142u, 0x62B821756295C58Du}));
  EXPECT_EQ(hash_of("a"), (TextHash128{0xD228CB696F1A8CAFu, 0x78912B704E4A8964u}));
  HashSet set;
  EXPECT_TRUE(set.insert({0, 0}));
  EXPECT_FALSE(set.insert({0, 0}));
  for (int i = 0; i < 5000; ++i) EXPECT_TRUE(set.insert(hash_of(std::to_string(i))));
  for (int i = 0; i < 5000; ++i) EXPECT_FALSE(set.insert(hash_of(std::to_string(i))));
  EXPECT_EQ(set.size(), 5001);
}

TEST(TransferSet, AFolderThatIsNotThereIsAnErrorOnEveryRank) {
  const Control world(MPI_COMM_WORLD);
  const RankFolder folder;
  const auto error = testing::error_of(
      [&] { made(rows_of(20, false), false, {}, world, folder.path / "no" / "set"); },
      ExitCode::kMachine);
  EXPECT_NE(error.find("cannot be written"), std::string::npos) << error;
}

// Half a million texts more take their hashes more, not their bytes: those would be 90 MB and more.
TEST(TransferSet, MemoryGrowsByTheHashesAlone) {
  const Control world(MPI_COMM_WORLD);
  const RankFolder folder;
  GlueFile file;
  for (int64_t i = 0; i < 5000; ++i) {
    std::string text;
    for (int64_t k = 0; k < 20; ++k)
      text += fmt::format("longword{:03} ", (i * 31 + k * k * 7) % 500);
    file.rows.push_back({i, text, "", ""});
  }
  const auto write = [&](int64_t n_iter) {
    const TransferOptions options{.rules = {.window_prob = 0, .n_iter = n_iter}};
    const SourceRows source = source_rows(file, false, nullptr, options, world);
    return write_transfer_set(source, options, layout(false), folder.path / "set", world).rows_out;
  };
  write(1);
  const int64_t before = testing::peak_megabytes();
  const int64_t rows = write(110);
  const int64_t growth = testing::peak_megabytes() - before;
  EXPECT_GT(rows, 500000);
  EXPECT_GT(std::filesystem::file_size(folder.path / "set"), 90u << 20);
#ifndef KDBENCH_SANITIZE  // which keeps what was freed for a while
  // 43 bytes a hash, half as much again while the table grows; and a window's texts.
  EXPECT_LT(growth, (rows * 65 >> 20) + 24) << rows << " rows";
#endif
}

}  // namespace
}  // namespace kdbench::transfer_set_test
