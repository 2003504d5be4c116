#!/bin/bash
# SPDX-License-Identifier: MIT
# One rank of three fails somewhere in a run: the job ends within 30 s with an exit code other than 0 and one message that
# names a rank and what it did, and the next job finishes with the undisturbed result, bit for bit.
# faults_test.sh KDBENCH LIBRARY MPIEXEC...; KDBENCH_FAULTS (8): how many faults, KDBENCH_FAULT_SEED (1): which.
# A fault by hand: KDBENCH_FAULT="KIND RANK N" KDBENCH_FAULT_WINDOW=all|store (fault.cpp).
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kdbench=$1 library=$2
shift 2
launch=("$@" 3)
points=${KDBENCH_FAULTS:-8}
RANDOM=${KDBENCH_FAULT_SEED:-1}
unset KDBENCH_FAULT KDBENCH_FAULT_WINDOW
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

# shellcheck source=tests/faults/tiny_run.sh
. "$here/tiny_run.sh"

# job OUT [FAULT WINDOW]: a run into OUT; what it says is in `said`.
job() {
  local preload=()
  [ $# = 1 ] || preload=(env LD_PRELOAD="$library" KDBENCH_FAULT="$2" KDBENCH_FAULT_WINDOW="$3")
  timeout -k 5 30 "${launch[@]}" "${preload[@]}" "$kdbench" run experiment.toml --out "$1" --threads 1 >said 2>&1 </dev/null
}
# The stores and predictions of a finished job.
result() {
  (cd "$1" && find . \( -name '*.h5' -o -name '*.safetensors' -o -path '*/predictions/*' \) ! -path '*.partial*' \
    -exec sha256sum {} +) | sort -k 2
}
# How many errors it reported, and how many of them name a rank.
errors() { grep '^kdbench: \|^terminate called' said | grep -cv '^kdbench: warning\|^kdbench: 3 ranks x 1 thread'; }
named() { grep -c "^kdbench: .*rank [012] of 3.*: ." said; }
# HDF5 1.10 does not survive every lack of memory; mpirun then says which rank died of it.
died_in_hdf5() { [[ $fault == hdf5* ]] && grep -q 'process rank [012] .* exited on signal' said; }

job undisturbed || { cat said; exit 1; }
result undisturbed >expected
if [ "$(grep -c '\.h5$' expected)" != 2 ] || [ "$(grep -c predictions expected)" != 8 ]; then
  cat expected
  exit 1
fi
for window in all store; do
  KDBENCH_FAULT_COUNTS=$folder/$window job "counted-$window" none "$window" || { cat said; exit 1; }
  rm -rf "counted-$window"
done
# calls KIND WINDOW RANK: how many there are.
calls() { sed -n "s/^$1 //p" "$2.$3"; }

kinds=("new store" "hdf5 all" "file store" "mpi all" "new all" "file all" "mpi store" "hdf5 store")
declare -A seen=([ended]=0 [died]=0 [harmless]=0 [hung]=0 [wrong]=0)
failed() {
  echo "FAILED: $fault ($window): $1"
  tail -n 40 said
}
for ((point = 0; point < points; point++)); do
  read -r kind window <<<"${kinds[point % ${#kinds[@]}]}"
  rank=$((RANDOM % 3))
  fault="$kind $rank $((1 + (RANDOM << 15 | RANDOM) % $(calls "$kind" "$window" $rank)))"
  # A memory or a disk that is full may stay so.
  [ $((RANDOM % 2)) = 1 ] && [ "$kind" != mpi ] && fault+="+"
  rm -rf out
  start=$SECONDS
  job out "$fault" "$window"
  code=$?
  outcome=ended
  if [ $code = 124 ] || [ $code = 137 ]; then
    outcome=hung
    failed "did not end within $((SECONDS - start)) s"
  elif [ $code = 0 ]; then
    # What it met was not needed: a lock's text, memory for a cache.
    outcome=harmless
  elif died_in_hdf5; then
    outcome=died
  elif [ "$(errors)" != 1 ] || [ "$(named)" != 1 ]; then
    outcome=wrong
    failed "exit code $code, $(errors) errors, $(named) of them with a rank"
  fi
  [ -z "${KDBENCH_FAULT_SHOW:-}" ] || echo "$fault ($window): $outcome, exit code $code, $(grep -m 1 '^kdbench: .*rank . of 3' said)"
  [ $outcome = harmless ] || job out || { outcome=wrong; failed "the next job ends with code $?"; }
  result out | cmp -s - expected || { outcome=wrong; failed "another result"; diff <(result out) expected; }
  seen[$outcome]=$((seen[$outcome] + 1))
done
echo "$points faults: ${seen[ended]} ended the job with one message, ${seen[died]} by a signal in HDF5," \
  "${seen[harmless]} were harmless, ${seen[hung]} hung, ${seen[wrong]} were wrong"
[ "${seen[hung]}" = 0 ] && [ "${seen[wrong]}" = 0 ]
