// SPDX-License-Identifier: MIT
// Both stores beside plain write() and read() of as many bytes in the same folder: TMPDIR's. Reads
// come from the page cache on both sides. All ranks write one store together, and have all of it
// when they read, which one rank of a host does for all, as in a run; without a store, each writes
// its part to a file of its own and reads as much as the whole.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "io/base/error.h"
#include "io/stores/feature_store.h"
#include "io/stores/teacher_store_writer.h"
#include "tests/bench/measure.h"

namespace kdbench::store_bench {
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
  void read_at(char* bytes, size_t size, int64_t at) const {
    if (check(pread(file_, bytes, size, at)) != static_cast<ssize_t>(size)) {
      throw_machine_error(path_.string(), "is shorter than expected");
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
  auto slice = std::make_shared<std::vector<FeatureSlice>>(1);
  FeatureSlice& split = slice->front();
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
          [](const fs::path& path) {
            benchmark::DoNotOptimize(read_feature_store(path, world().host()));
          }};
}

// Logits and six layers of [CLS] states, as PKD needs them; each rank has every n-th row.
Store teacher(int64_t rows, int64_t width, const std::string& dtype) {
  auto slice = std::make_shared<std::vector<TeacherSlice>>(1);
  TeacherSlice& split = slice->front();
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
          [](const fs::path& path) {
            benchmark::DoNotOptimize(read_teacher_store(path, {}, world().host()));
          }};
}

// Hidden states of one layer, in rows of 10 to 70 tokens. A run reads them in shuffled batches.
struct HiddenRows {
  explicit HiddenRows(int64_t rows, int64_t width, std::string store_dtype)
      : dtype(std::move(store_dtype)) {
    layout.layers = {11};
    layout.hidden_size = width;
    std::minstd_rand random(1);
    for (int64_t row = 0; row < rows; ++row) {
      layout.offsets.push_back(layout.offsets.back() + 10 + static_cast<int64_t>(random() % 61));
      order.push_back(row);
    }
    std::shuffle(order.begin(), order.end(), random);
  }

  int64_t rows() const { return static_cast<int64_t>(order.size()); }
  int64_t row_bytes(int64_t row) const {
    const int64_t element = dtype == "float32" ? 4 : 2;
    return (layout.offsets[row + 1] - layout.offsets[row]) * layout.hidden_size * element;
  }

  // Each rank has every n-th row of a window.
  void write(const fs::path& path) const {
    TeacherSlice split;
    split.name = "train";
    split.classes = 1;
    split.hidden_size = layout.hidden_size;
    TeacherSplitSize size{rows(), layout.offsets.back(), 1, layout.hidden_size, 0, 1};
    write_teacher_store(path, world().comm(), {"STS-B", "", dtype}, stored_bytes(size, dtype),
                        [&](TeacherStoreWriter& writer) {
                          write_windows(writer.hidden("train", layout), split);
                          writer.add(split);
                        });
  }

  void write_windows(HiddenWriter& writer, TeacherSlice& split) const {
    for (auto [row, end] = writer.window(); row < end; std::tie(row, end) = writer.window()) {
      std::vector<int64_t> mine;
      int64_t tokens = 0;
      for (; row < end; ++row) {
        if (row % world().size() != world().rank()) continue;
        mine.push_back(row);
        tokens += layout.offsets[row + 1] - layout.offsets[row];
        split.row_ids.push_back(row);
        split.logits.push_back(0.F);
      }
      writer.write(mine, std::vector<float>(tokens * layout.hidden_size, 0.5F));
    }
  }

  HiddenLayout layout;
  std::vector<int64_t> order;
  std::string dtype;
};

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

// Batches of 32 rows in random order, each rank all of them; the yardstick reads as many bytes from
// as many places of the file.
void hidden_read(benchmark::State& state, const std::function<HiddenRows()>& make) {
  const SharedFolder folder;
  const HiddenRows hidden = make();
  const fs::path path = folder / "store.h5";
  hidden.write(path);
  const auto states = read_teacher_store(path).splits.at("train")->hidden;
  constexpr int64_t kBatch = 32;
  std::vector<char> row(1 << 20);
  const RawFile file(path, O_RDONLY);
  const Seconds seconds = measure(
      state,
      [&] {
        for (int64_t first = 0; first < hidden.rows(); first += kBatch) {
          const auto begin = hidden.order.begin() + first;
          benchmark::DoNotOptimize(
              states->read({begin, begin + std::min(kBatch, hidden.rows() - first)}));
        }
      },
      [&] {
        for (const int64_t k : hidden.order) {
          const int64_t element =
              hidden.row_bytes(k) / (hidden.layout.offsets[k + 1] - hidden.layout.offsets[k]);
          file.read_at(row.data(), static_cast<size_t>(hidden.row_bytes(k)),
                       hidden.layout.offsets[k] * element);
          benchmark::DoNotOptimize(row.data());
        }
      });
  double bytes = 0;
  for (int64_t k = 0; k < hidden.rows(); ++k) bytes += static_cast<double>(hidden.row_bytes(k));
  count(state, seconds, bytes * world().size());
}

void add_hidden(const std::string& name, const std::function<HiddenRows()>& make) {
  benchmark::RegisterBenchmark(
      ("store_write/" + name).c_str(), store_write,
      [make] {
        const auto hidden = std::make_shared<HiddenRows>(make());
        return Store{[hidden](const fs::path& path) { hidden->write(path); }, {}};
      })
      ->Unit(benchmark::kMillisecond)
      ->UseManualTime();
  benchmark::RegisterBenchmark(("store_read_rows/" + name).c_str(), hidden_read, make)
      ->Unit(benchmark::kMillisecond)
      ->UseManualTime();
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
  for (const std::string dtype : {"float32", "float16"}) {
    add_hidden("hidden_" + dtype, [dtype] { return HiddenRows(1'500, 768, dtype); });
  }
  add_hidden("small_hidden", [] { return HiddenRows(30, 64, "float16"); });
  add("small_features", [] { return features(1'000); });
  add("small_teacher", [] { return teacher(100, 64, "float16"); });
  return true;
}();

}  // namespace
}  // namespace kdbench::store_bench
