// SPDX-License-Identifier: MIT
// Both stores beside plain write() and read() of as many bytes in the same folder: TMPDIR's. Reads
// come from the page cache on both sides. All ranks write one store together, and each reads all of
// it, as in a run; without a store, each writes its part to a file of its own.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "io/error.h"
#include "io/feature_store.h"
#include "io/teacher_store.h"
#include "tests/bench/measure.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// One folder for all ranks, named by the root, which removes it at the end: measure() returns on no
// rank before all are done.
class SharedFolder {
 public:
  SharedFolder() {
    const fs::path own = fs::temp_directory_path() / fmt::format("kdbench-bench-{}", getpid());
    path_ = world().broadcast(own.string());
    world().on_root([&] { fs::create_directories(path_); });
  }
  ~SharedFolder() {
    std::error_code ignored;
    if (world().root()) fs::remove_all(path_, ignored);
  }
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

// A file descriptor, or a machine error that names the file.
class RawFile {
 public:
  RawFile(const fs::path& path, int flags) : path_(path), file_(open(path.c_str(), flags, 0600)) {
    if (file_ < 0) throw_machine_error(path_.string(), "cannot be opened");
  }
  ~RawFile() { close(file_); }
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  void write_all(const char* bytes, size_t size) {
    while (size > 0) {
      const ssize_t done = check(write(file_, bytes, size));
      bytes += done;
      size -= static_cast<size_t>(done);
    }
    check(fsync(file_));
  }
  void read_all(char* bytes, size_t size) {
    while (size > 0) {
      const ssize_t done = check(read(file_, bytes, size));
      if (done == 0) throw_machine_error(path_.string(), "is shorter than expected");
      bytes += done;
      size -= static_cast<size_t>(done);
    }
  }

 private:
  ssize_t check(ssize_t result) const {
    if (result < 0) throw_machine_error(path_.string(), "cannot be read or written");
    return result;
  }

  fs::path path_;
  int file_;
};

// How a made-up store is written (collectively, this rank's rows) and read.
struct Store {
  std::function<void(const fs::path&)> write, read;
};

// Rows of 40 ids; each rank has a run of them.
Store features(int64_t rows) {
  auto slice = std::make_shared<std::vector<FeatureSplit>>(1);
  FeatureSplit& split = slice->front();
  split.name = "train";
  std::mt19937 random(1);
  const int64_t ranks = world().size(), rank = world().rank();
  for (int64_t row = rows * rank / ranks; row < rows * (rank + 1) / ranks; ++row) {
    for (int k = 0; k < 40; ++k) split.tokens.push_back(static_cast<int32_t>(random() % 30'522));
    split.offsets.push_back(static_cast<int64_t>(split.tokens.size()));
    split.first_segment.push_back(20);
    split.row_ids.push_back(row);
    split.labels.push_back(row % 3 == 0   ? "neutral"
                           : row % 3 == 1 ? "entailment"
                                          : "contradiction");
  }
  return {[slice](const fs::path& path) {
            write_feature_store(path, world().comm(), {"MNLI", "", 128, 0, 1}, *slice);
          },
          [](const fs::path& path) { benchmark::DoNotOptimize(read_feature_store(path)); }};
}

// Logits and six layers of [CLS] states, as PKD needs them; each rank has every n-th row.
Store teacher(int64_t rows, int64_t width, const std::string& dtype) {
  auto slice = std::make_shared<std::vector<TeacherSplit>>(1);
  TeacherSplit& split = slice->front();
  split.name = "train";
  split.label_order = {"a", "b"};
  split.classes = 2;
  split.cls_layers = {1, 2, 3, 4, 5, 6};
  split.hidden_size = width;
  for (int64_t row = world().rank(); row < rows; row += world().size())
    split.row_ids.push_back(row);
  const auto own = static_cast<size_t>(split.rows());
  split.logits.assign(2 * own, 0.5F);
  split.cls.resize(own * 6 * static_cast<size_t>(width));
  std::minstd_rand random(1);
  for (auto& value : split.cls) value = static_cast<float>(random() % 2000) / 1000.F - 1.F;
  return {[slice, dtype](const fs::path& path) {
            write_teacher_store(path, world().comm(), {"SST-2", "", dtype}, *slice);
          },
          [](const fs::path& path) { benchmark::DoNotOptimize(read_teacher_store(path)); }};
}

void count(benchmark::State& state, const Seconds& seconds, double bytes) {
  state.counters["MB"] = bytes * 1e-6;
  state.counters["GB/s"] = bytes * 1e-9 / seconds.work;
  state.counters["raw_GB/s"] = bytes * 1e-9 / seconds.yardstick;
  state.counters["share_of_raw"] = seconds.yardstick / seconds.work;
}

// The raw file too is flushed to the disk and gets its name at the end.
void store_write(benchmark::State& state, const std::function<Store()>& make) {
  const SharedFolder folder;
  const Store store = make();
  const fs::path path = folder / "store.h5";
  store.write(path);
  const size_t bytes = fs::file_size(path);
  const std::vector<char> part(bytes / static_cast<size_t>(world().size()), 'x');
  const fs::path raw = folder / fmt::format("raw-{}", world().rank());
  const Seconds seconds = measure(
      state, [&] { store.write(path); },
      [&] {
        const fs::path partial = raw.string() + ".partial";
        RawFile(partial, O_WRONLY | O_CREAT | O_TRUNC).write_all(part.data(), part.size());
        fs::rename(partial, raw);
      });
  count(state, seconds, static_cast<double>(bytes));
}

// The yardstick reads the store's own file into fresh memory.
void store_read(benchmark::State& state, const std::function<Store()>& make) {
  const SharedFolder folder;
  const Store store = make();
  const fs::path path = folder / "store.h5";
  store.write(path);
  const size_t bytes = fs::file_size(path);
  const Seconds seconds = measure(
      state, [&] { store.read(path); },
      [&] {
        const auto memory = std::make_unique_for_overwrite<char[]>(bytes);
        RawFile(path, O_RDONLY).read_all(memory.get(), bytes);
        benchmark::DoNotOptimize(memory.get());
      });
  count(state, seconds, static_cast<double>(bytes) * world().size());
}

void add(const std::string& name, const std::function<Store()>& make) {
  const auto add_one = [&](const std::string& kind, auto* function) {
    benchmark::RegisterBenchmark((kind + name).c_str(), function, make)
        ->Unit(benchmark::kMillisecond)
        ->UseManualTime();
  };
  add_one("store_write/", store_write);
  add_one("store_read/", store_read);
}

[[maybe_unused]] const bool registered = [] {
  add("features", [] { return features(393'000); });  // MNLI's training set
  for (const std::string dtype : {"float32", "float16", "bfloat16"}) {
    add("teacher_" + dtype, [dtype] { return teacher(7'000, 768, dtype); });
  }
  add("small_features", [] { return features(1'000); });
  add("small_teacher", [] { return teacher(100, 64, "float16"); });
  return true;
}();

}  // namespace
}  // namespace kdbench
