// SPDX-License-Identifier: MIT
#include "suite/machine/self_check.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "io/base/collective.h"
#include "io/base/error.h"
#include "io/hdf5/hdf5.h"
#include "suite/machine/device.h"
#include "suite/machine/gemm_speed.h"
#include "suite/machine/stopwatch.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int64_t kFloats = int64_t{1} << 20;
constexpr int kRepetitions = 5;
constexpr double kGemmSeconds = 0.2;

// What rank `rank` contributes: small whole numbers, so that sums are exact.
at::Tensor pattern(int rank) {
  return at::arange(kFloats, at::kFloat).remainder(97).add(static_cast<double>(rank % 7));
}

// Median of the slowest rank's seconds.
double median_time(const Workspace& workspace, const std::function<void()>& f) {
  std::vector<double> times;
  for (int i = 0; i < kRepetitions; ++i) {
    synchronize(workspace.device);
    workspace.control.barrier();
    const auto start = Clock::now();
    f();
    synchronize(workspace.device);
    times.push_back(workspace.control.max(seconds_since(start)));
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

// The folders on the way to `folder` that are missing now, the innermost first.
std::vector<fs::path> missing_folders(fs::path folder) {
  std::vector<fs::path> missing;
  for (; !fs::exists(folder) && folder.has_relative_path(); folder = folder.parent_path()) {
    missing.push_back(folder);
  }
  return missing;
}

// A file of this process's own name in a folder; removes both again, the folders where it made
// them.
class ScratchFile {
 public:
  explicit ScratchFile(const Workspace& workspace) : control_(workspace.control) {
    std::string name;
    control_.on_root([&] {
      made_ = missing_folders(workspace.out);
      std::error_code failed;
      fs::create_directories(workspace.out, failed);
      if (failed) {
        throw_machine_error(workspace.out.string(), "cannot be made: " + failed.message(),
                            "choose another --out");
      }
      name = fmt::format(".doctor-{}.h5", getpid());
    });
    path_ = workspace.out / control_.broadcast(name);
  }
  ~ScratchFile() {
    if (!control_.root()) return;
    std::error_code ignored;
    fs::remove(path_, ignored);
    for (const auto& folder : made_) fs::remove(folder, ignored);  // only when empty
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const fs::path& path() const { return path_; }

 private:
  const Control& control_;
  std::vector<fs::path> made_;
  fs::path path_;
};

void write_together(const fs::path& path, const Communicator& ranks) {
  const std::string doing = "writing " + path.string();
  together(ranks, doing.c_str(), [&] {
    const int64_t bytes = ranks.size * kFloats * int64_t{sizeof(float)};
    hdf5::File file = hdf5::File::create_parallel(path, ranks.comm, bytes);
    {
      const hdf5::Dataset values =
          file.root().create("values", hdf5::Type::kFloat32, {ranks.size * kFloats});
      const at::Tensor mine = pattern(ranks.rank);
      values.write(ranks.rank * kFloats, kFloats, mine.const_data_ptr<float>());
    }
    file.close();
  });
}

void read_all(const fs::path& path, int ranks) {
  const hdf5::File file = hdf5::File::open_read(path);
  const auto values = file.root().open("values").read_all<float>();
  for (int rank = 0; rank < ranks; ++rank) {
    const at::Tensor expected = pattern(rank);
    if (!std::equal(values.begin() + rank * kFloats, values.begin() + (rank + 1) * kFloats,
                    expected.const_data_ptr<float>())) {
      throw_machine_error(path.string(), fmt::format("what rank {} wrote comes back changed", rank),
                          "is the file system sound, and the same on all hosts?");
    }
  }
}

}  // namespace

Finding check_allreduce(const Workspace& workspace) {
  const int ranks = workspace.control.size();
  if (ranks == 1) return {Verdict::kGood, "allreduce: one rank, nothing to add up", ""};
  int64_t shift = 0;
  for (int rank = 0; rank < ranks; ++rank) shift += rank % 7;
  const at::Tensor mine = pattern(workspace.control.rank()).to(workspace.device);
  const at::Tensor expected = pattern(0).to(workspace.device) * ranks + shift;
  at::Tensor sum = mine.clone();
  const double seconds = median_time(workspace, [&] {
    sum.copy_(mine);
    workspace.collectives.allreduce_sum(sum);
  });
  const int64_t wrong = workspace.control.sum(sum.ne(expected).sum().item<int64_t>());
  if (wrong > 0) {
    return {Verdict::kBroken, fmt::format("allreduce: {} sums are wrong", wrong),
            "the library of the " + workspace.collectives.name() +
                " collectives or its transport is faulty: try another one"};
  }
  const double small = median_time(workspace, [&] { workspace.control.sum(1.0); });
  return {Verdict::kGood,
          fmt::format("allreduce over {} ranks: right; 4.2 MB in {:.2f} ms ({:.2f} GB/s), 8 B in "
                      "{:.1f} us",
                      ranks, 1e3 * seconds, 4.0 * kFloats / seconds / 1e9, 1e6 * small),
          ""};
}

Finding check_store(const Workspace& workspace) {
  try {
    const ScratchFile file(workspace);
    const auto start = Clock::now();
    write_together(file.path(), Communicator(workspace.control.comm()));
    const double write_s = workspace.control.max(seconds_since(start));
    const auto read_start = Clock::now();
    workspace.control.agree([&] { read_all(file.path(), workspace.control.size()); });
    const double read_s = workspace.control.max(seconds_since(read_start));
    const double megabytes = 4.0 * kFloats * workspace.control.size() / 1e6;
    return {Verdict::kGood,
            fmt::format("HDF5 in {}: right; {:.1f} MB written together in {:.0f} ms, read by each "
                        "rank in {:.0f} ms",
                        workspace.out.string(), megabytes, 1e3 * write_s, 1e3 * read_s),
            ""};
  } catch (const Error& error) {
    if (!error.on_every_rank) throw;
    return {Verdict::kBroken, std::string("HDF5: ") + error.message() + " (" + error.where() + ")",
            error.hint()};
  }
}

Finding check_gemm(const Workspace& workspace) {
  workspace.control.barrier();
  const GemmSpeed speed = measure_gemm(kGemmSeconds);
  const double rate = speed.flops_per_s / 1e9;
  const double slowest = workspace.control.min(rate), fastest = workspace.control.max(rate);
  if (workspace.control.any(!speed.right)) {
    return {Verdict::kBroken, "matrix products come out wrong", "is LibTorch's BLAS sound here?"};
  }
  return {Verdict::kGood,
          fmt::format("matrix products: {:.1f} GFLOP/s on the slowest rank, {:.1f} on the fastest, "
                      "{:.1f} in all ({} thread{} a rank)",
                      slowest, fastest, workspace.control.sum(rate), workspace.threads,
                      workspace.threads == 1 ? "" : "s"),
          ""};
}

}  // namespace kdbench
