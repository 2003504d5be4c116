// SPDX-License-Identifier: MIT
// The stores beside plain files of the same bytes, written and read in the same run: MB/s of one
// rank.
#include <benchmark/benchmark.h>
#include <mpi.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "io/feature_store.h"
#include "io/partial_file.h"
#include "io/teacher_store.h"

namespace kdbench {
namespace {

// The benchmark's main may know nothing of MPI; the stores need it.
MPI_Comm self() {
  int there = 0;
  MPI_Initialized(&there);
  if (!there) {
    int provided = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
    std::atexit([] { MPI_Finalize(); });
  }
  return MPI_COMM_SELF;
}

std::filesystem::path scratch(const char* name) {
  return std::filesystem::temp_directory_path() / name;
}

// 393,000 rows of 40 ids: MNLI's training set.
const std::vector<FeatureSplit>& features() {
  static const std::vector<FeatureSplit> splits = [] {
    FeatureSplit s;
    s.name = "train";
    std::mt19937 random(1);
    for (int64_t row = 0; row < 393'000; ++row) {
      for (int k = 0; k < 40; ++k) s.tokens.push_back(static_cast<int32_t>(random() % 30'522));
      s.offsets.push_back(static_cast<int64_t>(s.tokens.size()));
      s.first_segment.push_back(20);
      s.row_ids.push_back(row);
      s.labels.push_back(row % 3 == 0 ? "neutral" : row % 3 == 1 ? "entailment" : "contradiction");
    }
    return std::vector<FeatureSplit>{s};
  }();
  return splits;
}

// 20,000 rows of 6 layers of 768: 369 MB of [CLS] states in float32.
const std::vector<TeacherSplit>& teacher() {
  static const std::vector<TeacherSplit> splits = [] {
    TeacherSplit s;
    s.name = "train";
    s.label_order = {"a", "b"};
    s.classes = 2;
    s.cls_layers = {1, 2, 3, 4, 5, 6};
    s.hidden_size = 768;
    const int64_t rows = 20'000;
    for (int64_t row = 0; row < rows; ++row) s.row_ids.push_back(row);
    s.logits.assign(2 * rows, 0.5f);
    s.cls.resize(rows * 6 * 768);
    std::minstd_rand random(1);
    for (auto& value : s.cls) value = static_cast<float>(random() % 2000) / 1000.f - 1.f;
    return std::vector<TeacherSplit>{s};
  }();
  return splits;
}

// MB/s over the file's size; the file is not needed any more.
void finish(benchmark::State& state, const std::filesystem::path& path) {
  state.SetBytesProcessed(state.iterations() *
                          static_cast<int64_t>(std::filesystem::file_size(path)));
  std::filesystem::remove(path);
}

void write_features(benchmark::State& state) {
  const MPI_Comm comm = self();
  const auto path = scratch("kdbench-bench-features.h5");
  for (auto _ : state) write_feature_store(path, comm, {"MNLI", "", 128, 0, 1}, features());
  finish(state, path);
}

void read_features(benchmark::State& state) {
  const auto path = scratch("kdbench-bench-features.h5");
  write_feature_store(path, self(), {"MNLI", "", 128, 0, 1}, features());
  for (auto _ : state) benchmark::DoNotOptimize(read_feature_store(path));
  finish(state, path);
}

const char* const kTypes[] = {"float32", "float16", "bfloat16"};

void write_teacher(benchmark::State& state) {
  const MPI_Comm comm = self();
  const auto path = scratch("kdbench-bench-teacher.h5");
  const std::string dtype = kTypes[state.range(0)];
  state.SetLabel(dtype);
  for (auto _ : state) write_teacher_store(path, comm, {"MNLI", "", dtype}, teacher());
  finish(state, path);
}

void read_teacher(benchmark::State& state) {
  const auto path = scratch("kdbench-bench-teacher.h5");
  const std::string dtype = kTypes[state.range(0)];
  state.SetLabel(dtype);
  write_teacher_store(path, self(), {"MNLI", "", dtype}, teacher());
  for (auto _ : state) benchmark::DoNotOptimize(read_teacher_store(path));
  finish(state, path);
}

// The [CLS] states as a plain file, with the same flush and renaming.
void write_once(const std::filesystem::path& path) {
  const auto& cls = teacher().front().cls;
  PartialFile file(path);
  file.write(cls.data(), cls.size() * sizeof(float));
  file.commit();
}

void write_raw(benchmark::State& state) {
  const auto path = scratch("kdbench-bench-raw");
  for (auto _ : state) write_once(path);
  finish(state, path);
}

void read_raw(benchmark::State& state) {
  const auto path = scratch("kdbench-bench-raw");
  write_once(path);
  for (auto _ : state) {
    std::vector<char> bytes(std::filesystem::file_size(path));
    std::ifstream(path, std::ios::binary)
        .read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    benchmark::DoNotOptimize(bytes.data());
  }
  finish(state, path);
}

// A fixed number of rounds: each costs seconds of disk.
BENCHMARK(write_raw)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(2);
BENCHMARK(read_raw)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(2);
BENCHMARK(write_features)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(2);
BENCHMARK(read_features)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(2);
BENCHMARK(write_teacher)
    ->DenseRange(0, 2)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->Iterations(2);
BENCHMARK(read_teacher)
    ->DenseRange(0, 2)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->Iterations(2);

}  // namespace
}  // namespace kdbench
