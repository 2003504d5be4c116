// SPDX-License-Identifier: MIT
#include "suite/machine/device.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "io/base/error.h"
#include "io/base/host_name.h"
#include "suite/machine/host_layout.h"
#ifdef KDBENCH_CUDA
#include <ATen/cuda/CUDAContext.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <nccl.h>
#endif

namespace kdbench {
namespace {

bool may_share_gpus() {
  const char* value = std::getenv("KDBENCH_SHARE_GPUS");
  return value && std::string_view(value) == "1";
}

std::vector<RankGpus> gather_gpus(const Control& control) {
  const nlohmann::json own{host_name(), control.local_rank(), visible_gpus(), may_share_gpus()};
  std::vector<RankGpus> ranks;
  for (const auto& text : control.gather(own.dump())) {
    const auto other = nlohmann::json::parse(text);
    ranks.push_back({other[0].get<std::string>(), other[1].get<int>(),
                     other[2].get<std::vector<std::string>>(), other[3].get<bool>()});
  }
  return ranks;
}

// Why GPUs cannot be used; "" if they can.
std::string obstacle(const std::vector<RankGpus>& ranks) {
  for (const auto& rank : ranks) {
    if (rank.gpus.empty()) return "host " + rank.host + " shows no GPU to its ranks";
  }
  const bool may_share =
      std::all_of(ranks.begin(), ranks.end(), [](const RankGpus& rank) { return rank.may_share; });
  return may_share ? "" : gpu_shortage(ranks);
}

void make_current([[maybe_unused]] const c10::Device& device) {
#ifdef KDBENCH_CUDA
  c10::cuda::set_device(device.index());
#endif
}

}  // namespace

bool built_for_gpus() {
#ifdef KDBENCH_CUDA
  return true;
#else
  return false;
#endif
}

std::vector<std::string> visible_gpus() {
  std::vector<std::string> gpus;
#ifdef KDBENCH_CUDA
  for (c10::DeviceIndex i = 0; i < c10::cuda::device_count(); ++i) {
    std::string uuid;
    for (const char byte : at::cuda::getDeviceProperties(i)->uuid.bytes)
      uuid += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    gpus.push_back(std::move(uuid));
  }
#endif
  return gpus;
}

int chosen_gpu(const RankGpus& rank) {
  const int count = static_cast<int>(rank.gpus.size());
  return count == 0 ? -1 : rank.local_rank % count;
}

std::string gpu_shortage(const std::vector<RankGpus>& ranks) {
  struct Host {
    int ranks = 0;
    std::set<std::string> taken;
  };
  std::map<std::string, Host> hosts;
  for (const auto& rank : ranks) {
    Host& host = hosts[rank.host];
    ++host.ranks;
    const int chosen = chosen_gpu(rank);
    if (chosen >= 0) host.taken.insert(rank.gpus[static_cast<size_t>(chosen)]);
  }
  std::string text;
  for (const auto& [name, host] : hosts) {
    const size_t gpus = host.taken.size();
    if (gpus == static_cast<size_t>(host.ranks)) continue;
    text += fmt::format("{}host {} has {} rank{} and {} GPU{}", text.empty() ? "" : ", ", name,
                        host.ranks, host.ranks == 1 ? "" : "s", gpus, gpus == 1 ? "" : "s");
  }
  return text;
}

c10::Device choose_device(const Control& control, const std::string& wanted, std::string* why_not) {
  if (wanted == "cpu" || (wanted == "auto" && !built_for_gpus())) return c10::kCPU;
  if (!built_for_gpus()) {
    control.agree([] {
      throw_user_error(
          "--device cuda", "this kdbench was built without CUDA",
          "bash suite/bootstrap.sh --preset cuda builds it for NVIDIA's GPUs; --device "
          "cpu computes without");
    });
  }
  const std::vector<RankGpus> ranks = gather_gpus(control);
  const std::string why = obstacle(ranks);
  if (!why.empty()) {
    const bool some = std::any_of(ranks.begin(), ranks.end(),
                                  [](const RankGpus& rank) { return !rank.gpus.empty(); });
    if (wanted == "auto" && some && why_not) *why_not = why;
    if (wanted == "auto") return c10::kCPU;
    control.agree([&] {
      throw_user_error("--device cuda", "every rank needs a GPU of its own: " + why,
                       "start as many ranks as there are GPUs (mpirun -n, srun --gpus-per-task=1), "
                       "or --device cpu");
    });
  }
  const RankGpus& own = ranks[static_cast<size_t>(control.rank())];
  const c10::Device device(c10::kCUDA, static_cast<c10::DeviceIndex>(chosen_gpu(own)));
  make_current(device);
  return device;
}

void synchronize([[maybe_unused]] const c10::Device& device) {
#ifdef KDBENCH_CUDA
  if (!device.is_cuda()) return;
  const c10::cuda::CUDAGuard guard(device);
  c10::cuda::device_synchronize();
#endif
}

std::string nccl_version() {
#ifdef KDBENCH_CUDA
  constexpr int kMajor = 10000, kMinor = 100;
  int version = 0;
  if (ncclGetVersion(&version) == ncclSuccess)
    return fmt::format("{}.{}.{}", version / kMajor, version % kMajor / kMinor, version % kMinor);
#endif
  return "";
}

std::string device_text(const c10::Device& device) {
#ifdef KDBENCH_CUDA
  if (device.is_cuda())
    return fmt::format("cuda: {}", at::cuda::getDeviceProperties(device.index())->name);
#endif
  return device.str();
}

}  // namespace kdbench
