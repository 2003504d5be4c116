#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The build for NVIDIA's GPUs, where a CUDA toolkit with NCCL is there: all of it is compiled and linked, what needs no GPU is
# tested, and the rest (ctest label gpu) where there is one. tests/gpu.sh measures, too.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
toolkit=${CUDAToolkit_ROOT:-${CUDA_HOME:-/usr/local/cuda}}
if [ ! -x "$toolkit/bin/nvcc" ] || [ ! -e "$toolkit/include/nccl.h" ]; then
  echo "CUDA build: skipped, no CUDA toolkit with NCCL in $toolkit"
  exit 0
fi
printf '==> CUDA build\n'
bash suite/bootstrap.sh --preset cuda
export CTEST_OUTPUT_ON_FAILURE=1
ctest --test-dir build-cuda -j2 -L gpu
ctest --test-dir build-cuda -j2 -R '^(suite_(device|device_collectives|collectives|trainer|machine)|suite_(parity|other_device)\.ranks1|suite_comm|suite_doctor|bundle)'
