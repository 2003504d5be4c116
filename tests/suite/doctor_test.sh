#!/bin/bash
# SPDX-License-Identifier: MIT
# The doctor on one and two ranks: exit codes, what it says, what it leaves. doctor_test.sh KDBENCH MPIEXEC...
set -u
kdbench=$1
shift
mpiexec=("$@") # ends with the flag for the number of ranks
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"
expect_pattern=-E

# Nothing is left behind.
check_after() {
  [ -z "$(ls -A "$folder")" ] || problem "$* left $(ls -A "$folder")"
}

doctor=("$kdbench" doctor --out "$folder/results/of/mine")
expect 0 '^Ready\.$' "${doctor[@]}"
expect 0 '^load +.*: other processes use [0-9.]+ of [0-9]+ cores?, load [0-9.]+ in the last minute$' "${doctor[@]}"
expect 0 'one rank, nothing to add up' "${doctor[@]}"
expect 0 '^ok +HDF5 in .*: right; 4\.2 MB' "${doctor[@]}"
expect 0 '^ok +matrix products: [0-9.]+ GFLOP/s' "${doctor[@]}" --threads 1
expect 0 '^ok +allreduce over 2 ranks: right' "${mpiexec[@]}" 2 "${doctor[@]}"
expect 0 '^ok +HDF5 in .*: right; 8\.4 MB' "${mpiexec[@]}" 2 "${doctor[@]}"
expect 0 'oversubscribed ranks wait for each other' "${mpiexec[@]}" 2 "${doctor[@]}" --threads "$(nproc --all)"
expect 2 '--device cuda: ' env CUDA_VISIBLE_DEVICES= "${doctor[@]}" --device cuda
# A place that cannot be written to, for root neither; others are told at once.
if [ "$(id -u)" = 0 ]; then
  expect 3 '^BROKEN +HDF5: cannot be made' "$kdbench" doctor --out /proc/nothing
  expect 3 '^BROKEN +HDF5: cannot be made' "${mpiexec[@]}" 2 "$kdbench" doctor --out /proc/nothing
else
  expect 2 'cannot be written' "$kdbench" doctor --out /proc/nothing
fi
# Another program on one of the ranks.
if command -v objcopy >/dev/null; then
  objcopy --remove-section .note.gnu.build-id "$kdbench" "$(dirname "$folder")/kdbench-other-$$"
  other=$(dirname "$folder")/kdbench-other-$$
  two=("${mpiexec[@]}" 1 "$kdbench")
  expect 3 '^BROKEN +the program of rank 1 .* is not that of rank 0' "${two[@]}" doctor --out "$folder/results" : -n 1 "$other" doctor --out "$folder/results"
  run=(run "$(dirname "$0")/../../suite/experiments/quickstart.toml" --out "$folder/results")
  expect 3 'start: the program of rank 1' "${two[@]}" "${run[@]}" : -n 1 "$other" "${run[@]}"
  rm "$other"
fi
expect 0 '^ok +all ranks run the same program' "${mpiexec[@]}" 2 "${doctor[@]}"
# What a launcher of another MPI looks like from inside.
expect 3 'started 4 processes, but each is rank 0 of 1' env PMI_SIZE=4 "${doctor[@]}"

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0)) # not the number: 77 would count as skipped
