#!/bin/bash
# SPDX-License-Identifier: MIT
# All checks and measurements that need a GPU, in under 8 minutes on one: gpu.sh [FOLDER], a bundle (suite/bundle.sh; that
# beside this script, if not said) or a build folder. Needs no network. A LibTorch of the build's version is LIBTORCH_ROOT's,
# or that of the python3 on PATH. Results go to $OUT, or gpu-results. KDBENCH_GPU_DEVICE=cpu tries the script itself without one.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(cd "${1:-$here}" && pwd)
device=${KDBENCH_GPU_DEVICE:-cuda}
out=${OUT:-gpu-results}
mkdir -p "$out"
out=$(cd "$out" && pwd)
failures=0

say() { printf '\n==> %s\n' "$*"; }
deadline=470 # of all checks together, in seconds
check() { # name, seconds at most, command...
  local name=$1 seconds=$2 start=$SECONDS status
  shift 2
  [ "$seconds" -lt $((deadline - SECONDS)) ] || seconds=$((deadline - SECONDS))
  [ "$seconds" -gt 1 ] || seconds=1
  timeout -k 10 "$seconds" "$@" >"$out/$name.log" 2>&1
  status=$?
  tail -n "${lines:-4}" "$out/$name.log"
  if [ $status = 0 ]; then
    printf 'ok      %s (%s s)\n' "$name" $((SECONDS - start))
  elif [ $status = 77 ]; then
    printf 'SKIPPED %s\n' "$name"
  else
    printf 'FAILED  %s: exit code %s (%s s), %s\n' "$name" $status $((SECONDS - start)) "$out/$name.log"
    failures=$((failures + 1))
  fi
  return $status
}

if [ -f "$folder/kdbench.sh" ]; then
  if [ -z "${LIBTORCH_ROOT:-}" ]; then
    LIBTORCH_ROOT=$(python3 -c 'import torch, os; print(os.path.dirname(torch.__path__[0]))') || exit 2
    export LIBTORCH_ROOT
  fi
  run=(bash "$folder/kdbench.sh" --)
  tests=tests_suite bench=kdbench_bench program=kdbench experiments=$folder/suite/experiments
  export KDBENCH_TEST_DATA=$folder/tests/data
else
  run=(env PATH="$folder:$folder/tests/suite:$PATH")
  tests=tests_suite bench=kdbench_bench program=kdbench experiments=$here/../suite/experiments
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_hwloc_base_binding_policy=none
# Two ranks that share a GPU; NCCL takes them for ranks of two hosts.
# shellcheck disable=SC2016  # each rank's own
two_ranks=("${run[@]}" mpirun -n 2 env KDBENCH_SHARE_GPUS=1 NCCL_P2P_DISABLE=1 NCCL_SHM_DISABLE=1 NCCL_SOCKET_IFNAME=lo
  bash -c 'NCCL_HOSTID=host$OMPI_COMM_WORLD_RANK exec "$@"' rank)

say "The machine"
nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv,noheader 2>/dev/null
lines=40 check doctor 60 "${run[@]}" "$program" doctor --device "$device" --out "$out/doctor" || exit 1

say "Tests on the GPU"
export KDBENCH_TEST_DEVICE=$device
check collectives 60 "${run[@]}" "$tests" --gtest_filter='DeviceCollectives.*'
lines=30 check parity 150 "${run[@]}" "$tests" --gtest_filter='*OtherDevice*'
say "NCCL of two ranks on one GPU (not every NCCL takes that)"
check collectives-2-ranks 60 "${two_ranks[@]}" "$tests" --gtest_filter='DeviceCollectives.*'
two=$?
[ $two != 0 ] || check parity-2-ranks 120 "${two_ranks[@]}" "$tests" --gtest_filter='*OtherDeviceCase*kd_rte:*OtherDeviceCase*fsd_ilg_rte:*OtherDeviceCase*prokt_rte'
unset KDBENCH_TEST_DEVICE

say "Every method from data to table"
lines=40 check all-methods 120 "${run[@]}" "$program" run "$experiments/all-methods.toml" --tasks MRPC,STS-B --device "$device" --out "$out/results"

say "Speed"
lines=30 check comm 60 "${run[@]}" "$program" comm --device "$device"
lines=40 check bench 120 "${run[@]}" "$bench" --device "$device" --benchmark_min_time=0.2 \
  --benchmark_filter='(encoder_forward|encoder_forward_backward|optimizer_step)/.*(minilm|bert_base)' \
  --benchmark_out="$out/bench.json" --benchmark_out_format=json

say "$failures failed; logs in $out"
exit $((failures > 0))
