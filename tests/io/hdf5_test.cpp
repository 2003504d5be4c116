// SPDX-License-Identifier: MIT
#include "io/hdf5/hdf5.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <numeric>

#include "io/hdf5/store_file.h"
#include "tests/io/rank_folder.h"

namespace kdbench::hdf5::hdf5_test {
namespace {

using testing::error_of;
using testing::RankFolder;

// Collective: `fill` on a new file, closed afterwards.
template <typename F>
std::filesystem::path written(const RankFolder& folder, F&& fill, int64_t bytes = 0) {
  const auto path = folder.path / "file.h5";
  File file = File::create_parallel(path, MPI_COMM_WORLD, bytes);
  fill(file.root());
  file.close();
  MPI_Barrier(MPI_COMM_WORLD);
  return path;
}

TEST(Hdf5, AttributesComeBack) {
  const RankFolder folder;
  const auto path = written(folder, [](const Group& root) {
    root.set("text", "ünï");
    root.set("empty", "");
    root.set("count", int64_t{-5'000'000'000});
    root.set("rate", 0.1);
  });
  const File file = File::open_read(path);
  const Group root = file.root();
  EXPECT_EQ(root.text("text"), "ünï");
  EXPECT_EQ(root.text("empty"), "");
  EXPECT_EQ(root.integer("count"), -5'000'000'000);
  EXPECT_EQ(root.real("rate"), 0.1);
  EXPECT_HAS(error_of([&] { root.text("nothing"); }), "nothing: the attribute is missing");
  EXPECT_HAS(error_of([&] { root.integer("text"); }), "another type");
  EXPECT_HAS(error_of([&] { root.text("count"); }), "another type");
}

// Every rank but the middle one writes; rank r's rows are 10 r + 1 long: chunks are shared and
// selections empty.
TEST(Hdf5, SharesOfRanksMakeOneArray) {
  const RankFolder folder;
  const int64_t mine = folder.ranks == 3 && folder.rank == 1 ? 0 : 10 * folder.rank + 1;
  const Communicator ranks(MPI_COMM_WORLD);
  const int64_t first = sum_before(ranks, mine), total = sum(ranks, mine);
  const auto path = written(folder, [&](const Group& root) {
    std::vector<int64_t> values(2 * mine);
    std::iota(values.begin(), values.end(), 2 * first);
    root.create("numbers", Type::kInt64, {total, 2}).write(first, mine, values.data());
  });
  const File file = File::open_read(path);
  const Dataset dataset = file.root().open("numbers");
  EXPECT_EQ(dataset.shape(), (std::vector<hsize_t>{static_cast<hsize_t>(total), 2}));
  std::vector<int64_t> expected(2 * total);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(dataset.read_all<int64_t>(), expected);
  int64_t row[2];
  dataset.read(total - 1, 1, row);
  EXPECT_EQ(row[1], 2 * total - 1);
  EXPECT_HAS(error_of([&] { dataset.read(total, 1, row); }), "fewer rows");
  EXPECT_HAS(error_of([&] { dataset.read_all<float>(); }), "another type");
}

// 40 MB on a rank: several pieces, many chunks, ranks with different numbers of pieces.
TEST(Hdf5, LongSharesAreWrittenInPieces) {
  const RankFolder folder;
  const Communicator ranks(MPI_COMM_WORLD);
  const int64_t mine = folder.rank == 0 ? 10'000'001 : 1000;
  const int64_t first = sum_before(ranks, mine), total = sum(ranks, mine);
  const auto path = written(folder, [&](const Group& root) {
    std::vector<int32_t> values(mine);
    std::iota(values.begin(), values.end(), static_cast<int32_t>(first));
    root.create("numbers", Type::kInt32, {total}).write(first, mine, values.data());
  });
  const auto values = File::open_read(path).root().open("numbers").read_all<int32_t>();
  ASSERT_EQ(static_cast<int64_t>(values.size()), total);
  int64_t wrong = 0;
  for (int64_t i = 0; i < total; ++i) wrong += values[i] != i;
  EXPECT_EQ(wrong, 0);
}

TEST(Hdf5, EveryElementTypeComesBack) {
  const RankFolder folder;
  const auto write = [&]<typename T>(const Group& root, const char* name, std::vector<T> values) {
    const int64_t count = folder.rank == 0 ? 3 : 0;
    root.create(name, type_of<T>(), {3}).write(0, count, values.data());
  };
  const auto path = written(folder, [&](const Group& root) {
    write(root, "u8", std::vector<uint8_t>{0, 7, 255});
    write(root, "u16", std::vector<uint16_t>{0, 7, 65535});
    write(root, "half", std::vector<at::Half>{at::Half(1.5f), at::Half(-65504.f), at::Half(6e-8f)});
    write(root, "bfloat16",
          std::vector<at::BFloat16>{at::BFloat16(1.5f), at::BFloat16(-3e38f), at::BFloat16(0.f)});
    write(root, "double", std::vector<double>{0.1, -1e300, 0});
  });
  const File file = File::open_read(path);
  const Group root = file.root();
  EXPECT_EQ(root.open("u8").read_all<uint8_t>(), (std::vector<uint8_t>{0, 7, 255}));
  EXPECT_EQ(root.open("u16").read_all<uint16_t>(), (std::vector<uint16_t>{0, 7, 65535}));
  const auto half = root.open("half").read_all<at::Half>();
  EXPECT_EQ(static_cast<float>(half[1]), -65504.f);
  EXPECT_GT(static_cast<float>(half[2]), 0.f);  // a subnormal
  const auto wide = root.open("bfloat16").read_all<at::BFloat16>();
  EXPECT_EQ(static_cast<float>(wide[1]), static_cast<float>(at::BFloat16(-3e38f)));
  EXPECT_EQ(root.open("double").read_all<double>(), (std::vector<double>{0.1, -1e300, 0}));
}

// HDF5 itself understands the 16-bit type: it converts it to float32.
TEST(Hdf5, HalfIsIeeeBinary16) {
  const RankFolder folder;
  const auto path = written(folder, [&](const Group& root) {
    const at::Half values[2] = {at::Half(0.333251953125f), at::Half(-1024.f)};
    root.create("half", Type::kFloat16, {2}).write(0, folder.rank == 0 ? 2 : 0, values);
  });
  const Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  const Handle dataset(H5Dopen2(file.get(), "half", H5P_DEFAULT));
  float values[2] = {};
  ASSERT_GE(H5Dread(dataset.get(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
  EXPECT_EQ(values[0], 0.333251953125f);
  EXPECT_EQ(values[1], -1024.f);
}

TEST(Hdf5, StringsAndEmptyArraysComeBack) {
  const RankFolder folder;
  const std::vector<std::string> names{"", "not_entailment", "ä"};
  const auto path = written(folder, [&](const Group& root) {
    const Group group = root.create_group("inner");
    group.write_strings("names", names);
    group.write_strings("none", {});
    group.create("empty", Type::kFloat32, {0, 3}).write<float>(0, 0, nullptr);
  });
  const File file = File::open_read(path);
  const Group group = file.root().open_group("inner");
  EXPECT_EQ(group.read_strings("names"), names);
  EXPECT_TRUE(group.read_strings("none").empty());
  EXPECT_TRUE(group.open("empty").read_all<float>().empty());
  EXPECT_EQ(group.children(), (std::vector<std::string>{"empty", "names", "none"}));
  EXPECT_TRUE(group.has("names"));
  EXPECT_FALSE(group.has("other"));
  EXPECT_HAS(error_of([&] { group.open("other"); }), "file.h5:/inner/other: is missing or damaged");
}

TEST(Hdf5, ErrorsNameTheFileAndHdf5sReason) {
  const RankFolder folder;
  const auto text =
      folder.make("text.h5", [](const auto& path) { testing::write_bytes(path, "no HDF5\n"); });
  const std::string error = error_of([&] { File::open_read(text); });
  EXPECT_HAS(error, "text.h5: is no complete HDF5 file");
  EXPECT_HAS(error, "file signature not found");
  EXPECT_HAS(error_of([&] { File::open_read(folder.path / "none.h5"); }), "there is no such file");
  const auto create = [&] {
    File::create_parallel(folder.path / "no/such/folder/a.h5", MPI_COMM_WORLD, 0);
  };
  EXPECT_HAS(error_of(create, ExitCode::kMachine), "a.h5: cannot be made");
}

#ifndef KDBENCH_SANITIZE  // whose own memory is under the limit, too

// Runs `f` with at most `bytes` more memory than this process has now.
void without_memory(int64_t bytes, const std::function<void()>& f) {
  H5garbage_collect();  // its own reserve
  long pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit before{};
  getrlimit(RLIMIT_AS, &before);
  rlimit limit = before;
  limit.rlim_cur =
      static_cast<rlim_t>(pages) * static_cast<rlim_t>(getpagesize()) + static_cast<rlim_t>(bytes);
  setrlimit(RLIMIT_AS, &limit);
  f();
  setrlimit(RLIMIT_AS, &before);
}

// HDF5 reads a chunk as a whole. A file that is what was written is not to blame.
TEST(Hdf5, LackOfMemoryIsTheMachines) {
  const RankFolder folder;
  constexpr int64_t kRows = 16 << 20, kBytes = kRows * 4;  // more than malloc keeps in reserve
  const auto path = folder.path / "file.h5";
  write_store(path, MPI_COMM_WORLD, "test", 1, kBytes,
              [&](const Communicator& ranks, const Group& root) {
                const std::vector<float> values(ranks.rank == 0 ? kRows : 0);
                root.create("values", Type::kFloat32, {kRows}, {kRows})
                    .write(0, static_cast<int64_t>(values.size()), values.data());
              });
  const auto read_one = [&](ExitCode code) {
    const File file = File::open_read(path);
    const Dataset values = file.root().open("values");
    std::string error;
    without_memory(kBytes / 8, [&] {
      float value = 0;
      error = error_of([&] { values.read(0, 1, &value); }, code);
    });
    return error;
  };
  const std::string lack = read_one(ExitCode::kMachine);
  EXPECT_HAS(lack, "file.h5:/values: cannot be read: out of memory");
  MPI_Barrier(MPI_COMM_WORLD);
  if (folder.rank == 0) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(kBytes / 2).put('\1');
  }
  MPI_Barrier(MPI_COMM_WORLD);
  const std::string damage = read_one(ExitCode::kUserInput);
  EXPECT_HAS(damage, "file.h5:/values: is damaged");
}

#endif

// Writing while another has it open for reading (locks off) must not disturb readers; here: reading
// twice.
TEST(Hdf5, ReadersDoNotLock) {
  const RankFolder folder;
  const auto path = written(folder, [](const Group& root) { root.set("a", int64_t{1}); });
  const File one = File::open_read(path), two = File::open_read(path);
  EXPECT_EQ(one.root().integer("a") + two.root().integer("a"), 2);
}

// A full disk, played by a limit on the size of files.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST(Hdf5, AFullDiskIsAMachineErrorOnEveryRankBeforeAnythingIsWritten) {
  const RankFolder folder;
  const FileSizeLimit limit(3 << 20);
  bool reached = false;
  const auto write = [&] {
    written(
        folder, [&](const Group&) { reached = true; }, 4 << 20);
  };
  EXPECT_HAS(error_of(write, ExitCode::kMachine), "file.h5: has no room for 4 MiB: File too large");
  EXPECT_FALSE(reached);
}

TEST(Hdf5, ReservedSpaceThatIsNotUsedIsGivenBack) {
  const RankFolder folder;
  const auto path = written(
      folder, [](const Group& root) { root.set("a", int64_t{1}); }, 5 << 20);
  EXPECT_LT(std::filesystem::file_size(path), 100'000);
  EXPECT_EQ(File::open_read(path).root().integer("a"), 1);
}

}  // namespace
}  // namespace kdbench::hdf5::hdf5_test
