#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# abort_test.sh HELPER MPIEXEC...: a rank that fails takes the job down with its exit code and one clear line; nobody hangs.
set -euo pipefail
helper=$1
shift
launch=("$@")
errors=$(mktemp)
folder=$(mktemp -d)
trap 'rm -rf "$errors" "$folder"' EXIT

# expect CODE TEXT LINES RANKS ARGUMENTS...: the job's exit code, and how many lines of stderr hold TEXT.
expect() {
  local code=$1 text=$2 lines=$3 ranks=$4 status=0
  shift 4
  timeout 60 "${launch[@]}" "$ranks" "$helper" "$@" 2>"$errors" || status=$?
  local found
  found=$(grep -c -- "$text" "$errors" || true)
  if [[ $status -ne $code || $found -ne $lines ]]; then
    echo "$* on $ranks ranks: exit $status (expected $code), $found lines with '$text' (expected $lines)"
    cat "$errors"
    exit 1
  fi
}

host=$(uname -n)
expect 3 "^kdbench: rank 2 of 3 on $host: the disk is full$" 1 3 abort 2 3
expect 2 "^kdbench: rank 0 of 2 on $host: the disk is full$" 1 2 abort 0 2
expect 75 "^kdbench: rank 0 of 1 on $host: the disk is full$" 1 1 abort 0 75
expect 2 "^here: went wrong$" 1 3 agree 1 2
expect 3 "^rank 0 of 2: here: went wrong$" 1 2 agree 0 3
expect 0 "went wrong" 0 2 agree 9 3
expect 3 "^kdbench: rank 1 of 3 on $host: reading: out of memory$" 1 3 read 1 0
expect 2 "^here: went wrong$" 1 3 read 1 2
expect 3 "^kdbench: rank . of 3 on $host: here: went wrong$" 1 3 read 1 3
expect 3 "^kdbench: rank 1 of 3 on $host: writing a store: HDF5 is out of memory$" 1 3 hdf5 1 "$folder"
expect 0 "out of memory" 0 3 hdf5 9 "$folder"
echo "all as expected"
