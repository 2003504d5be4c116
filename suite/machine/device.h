// SPDX-License-Identifier: MIT
// Which device a rank computes on: one GPU for each rank of a host, or the CPU.
#pragma once

#include <c10/core/Device.h>

#include <string>
#include <vector>

#include "suite/ranks/control.h"

namespace kdbench {

// Whether this build can compute on GPUs.
bool built_for_gpus();
// The GPUs that this process sees, each by what all processes of the host know it by (the driver's
// UUID). Empty in a build without CUDA, and where no driver is. Local.
std::vector<std::string> visible_gpus();

// What one rank has to choose from.
struct RankGpus {
  std::string host;
  int local_rank = 0;             // its number on the host
  std::vector<std::string> gpus;  // that it sees
  bool may_share = false;         // KDBENCH_SHARE_GPUS=1 in its environment
};
// Where in `gpus` the one lies that the rank takes: that of its local rank, or the only one where
// the launcher shows each rank its own. -1 if it sees none.
int chosen_gpu(const RankGpus& rank);
// Why not every rank has a GPU of its own, host by host; "" if each has.
std::string gpu_shortage(const std::vector<RankGpus>& ranks);

// `wanted`: "cpu"; "cuda"; or "auto": GPUs where every rank has its own, else the CPU. The device
// becomes this process's current one. With "cuda" a user error where a rank lacks a GPU;
// KDBENCH_SHARE_GPUS=1 in the environment of all ranks lets them share one. Collective; the kind of
// device is the same on all ranks. `why_not`: receives why "auto" left GPUs that are there alone.
c10::Device choose_device(const Control& control, const std::string& wanted,
                          std::string* why_not = nullptr);

// Waits until the device has done all that this process gave it. Local.
void synchronize(const c10::Device& device);

// NCCL's, "2.28.9"; "" in a build without CUDA. Local.
std::string nccl_version();

// "cpu", or "cuda: NVIDIA H100 80GB HBM3". Local.
std::string device_text(const c10::Device& device);

}  // namespace kdbench
