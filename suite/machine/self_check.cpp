// SPDX-License-Identifier: MIT
#include "suite/machine/self_check.h"

#include <ATen/ATen.h>
#include <elf.h>
#include <fmt/format.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "io/base/collective.h"
#include "io/base/error.h"
#include "io/base/host_name.h"
#include "io/base/sha256.h"
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
at::Tensor pattern(int rank, int64_t floats = kFloats) {
  return at::arange(floats, at::kFloat).remainder(97).add(static_cast<double>(rank % 7));
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

// Of a loaded object, where the linker wrote one: hexadecimal.
std::string build_id(const dl_phdr_info& object) {
  for (int i = 0; i < object.dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = object.dlpi_phdr[i];
    if (part.p_type != PT_NOTE) continue;
    const char* at = reinterpret_cast<const char*>(object.dlpi_addr + part.p_vaddr);
    const char* end = at + part.p_memsz;
    const auto padded = [](size_t size) { return (size + 3) / 4 * 4; };
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      ElfW(Nhdr) note;
      std::memcpy(&note, at, sizeof note);
      const char* name = at + sizeof note;
      const char* value = name + padded(note.n_namesz);
      if (note.n_type == NT_GNU_BUILD_ID && std::string_view(name, 3) == "GNU") {
        std::string id;
        for (size_t k = 0; k < note.n_descsz; ++k)
          id += fmt::format("{:02x}", static_cast<unsigned char>(value[k]));
        return id;
      }
      at = value + padded(note.n_descsz);
    }
  }
  return "";
}

using Objects = std::map<std::string, std::string>;  // by name: build id, or the file's size

constexpr const char* kProgram = "the program";

// What is loaded in this process, the program first in the list of the loader.
Objects loaded_objects() {
  Objects objects;
  const auto add = [](dl_phdr_info* object, size_t, void* list) {
    auto& found = *static_cast<Objects*>(list);
    const bool program = found.empty();
    const fs::path file = program ? "/proc/self/exe" : object->dlpi_name;
    if (file.empty() || file.filename().string().rfind("linux-vdso", 0) == 0) return 0;
    std::string id = build_id(*object);
    struct stat status {};
    if (id.empty() && ::stat(file.c_str(), &status) == 0)
      id = fmt::format("{} bytes", status.st_size);
    found.emplace(program ? kProgram : file.filename().string(), id);
    return 0;
  };
  dl_iterate_phdr(add, &objects);
  return objects;
}

// What all numbers and all messages depend on.
bool must_agree(const std::string& object) {
  static constexpr std::array names{kProgram, "libtorch", "libc10", "libmpi."};
  return std::any_of(names.begin(), names.end(),
                     [&](const char* name) { return object.rfind(name, 0) == 0; });
}

}  // namespace

Finding check_program(const Control& control) {
  const nlohmann::json own = loaded_objects();
  const auto hashes = control.gather(json_hash(own));
  if (std::count(hashes.begin(), hashes.end(), hashes.front()) == control.size())
    return {Verdict::kGood, "all ranks run the same program with the same libraries", ""};
  const auto hosts = control.gather(host_name());
  const auto all = control.gather(own.dump());
  const Objects first = nlohmann::json::parse(all.front());
  Finding found{Verdict::kGood, "all ranks run the same program with the same libraries", ""};
  for (size_t rank = 1; rank < all.size(); ++rank) {
    for (const auto& [name, id] : nlohmann::json::parse(all[rank]).get<Objects>()) {
      const auto known = first.find(name);  // libraries that one rank alone has loaded may be
      if (known == first.end() || known->second == id) continue;
      const Verdict verdict = must_agree(name) ? Verdict::kBroken : Verdict::kNote;
      if (found.verdict >= verdict) continue;
      found = {verdict,
               fmt::format("{} of rank {} ({}) is not that of rank 0 ({}): build {}, not {}", name,
                           rank, hosts[rank], hosts.front(), id, known->second),
               "the same files on all hosts: on a file system that they share, or copied again to "
               "each"};
    }
  }
  return found;
}

std::vector<Finding> start_checks(const Workspace& workspace) {
  constexpr int64_t kFewFloats = 1 << 14;
  const Control& control = workspace.control;
  const auto launch = control.gather(
      std::vector<int64_t>{launched_processes(), slurm_tasks()});  // the root's count
  std::vector<Finding> found{
      launch_finding(control.size(), static_cast<int>(launch[0]), static_cast<int>(launch[1])),
      check_program(control)};
  if (control.size() > 1) found.push_back(check_allreduce(workspace, kFewFloats));
  std::erase_if(found, [](const Finding& finding) { return finding.verdict == Verdict::kGood; });
  return found;
}

void require_same(const Control& control, const std::string& value, const std::string& where,
                  const std::string& what, const std::string& hint) {
  const auto values = control.gather(value);
  const auto hosts = control.gather(host_name());
  control.agree([&] {
    for (size_t rank = 1; rank < values.size(); ++rank) {
      if (values[rank] == values.front()) continue;
      throw_machine_error(where,
                          fmt::format("rank {} ({}) has another {} than rank 0 ({})", rank,
                                      hosts[rank], what, hosts.front()),
                          hint);
    }
  });
}

Finding check_allreduce(const Workspace& workspace, int64_t floats) {
  const int ranks = workspace.control.size();
  if (ranks == 1) return {Verdict::kGood, "allreduce: one rank, nothing to add up", ""};
  int64_t shift = 0;
  for (int rank = 0; rank < ranks; ++rank) shift += rank % 7;
  const at::Tensor mine = pattern(workspace.control.rank(), floats).to(workspace.device);
  const at::Tensor expected = pattern(0, floats).to(workspace.device) * ranks + shift;
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
          fmt::format("allreduce over {} ranks: right; {:.1f} MB in {:.2f} ms ({:.2f} GB/s), 8 B "
                      "in {:.1f} us",
                      ranks, 4e-6 * static_cast<double>(floats), 1e3 * seconds,
                      4e-9 * static_cast<double>(floats) / seconds, 1e6 * small),
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
