#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# smoke_test.sh PROGRAM MPIEXEC...: every benchmark runs at its smallest size on 1 and 2 ranks, is reported once, by
# one rank, and the results say what made them. No time is judged.
set -euo pipefail
program=$1
shift
launch=("$@")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TMPDIR=$folder

fail() { echo "$*"; exit 1; }
families() { cut -d/ -f1 "$1" | sort -u | xargs; }

"$program" --benchmark_list_tests --benchmark_filter=all >"$folder/all"
grep /small "$folder/all" >"$folder/names"
[[ "$(families "$folder/all")" == "$(families "$folder/names")" ]] ||
  fail "a benchmark has no size 'small': there are $(families "$folder/all"); small: $(families "$folder/names")"

for ranks in 1 2; do
  json=$folder/$ranks.json
  status=0
  timeout 100 "${launch[@]}" "$ranks" "$program" --threads 1 --benchmark_filter=/small --benchmark_min_time=0.01 \
    --benchmark_out="$json" &>"$folder/console" || status=$?
  [[ $status == 0 ]] || fail "$ranks ranks: exit $status: $(cat "$folder/console")"
  for table in "$json" "$folder/console"; do
    while read -r name; do
      # Both formats end a name with a quote or a blank.
      [[ $(grep -cF -e "\"name\": \"$name\"" -e "$name " "$table") == 1 ]] ||
        fail "$ranks ranks: $name is not once in $(cat "$table")"
    done <"$folder/names"
  done
  for key in build/git/commit build/git/clean build/compiler build/flags build/libtorch build/mpi build/hdf5 \
    system/hosts/0/cpu system/hosts/0/cpus system/threads_per_rank; do
    grep -q "\"$key\": \"..*\"" "$json" || fail "$ranks ranks: no $key in $(cat "$json")"
  done
  grep -q "\"system/ranks\": \"$ranks\"" "$json" || fail "$ranks ranks: the results do not say so"
  ! grep -q error_occurred "$json" || fail "$ranks ranks: $(grep -A1 error_occurred "$json")"
done

for wrong in --benchmark_filter=no_such_benchmark --no-such-option --threads=-1; do
  status=0
  "$program" "$wrong" >/dev/null 2>&1 || status=$?
  [[ $status == 2 ]] || fail "$wrong ends with $status, not 2"
done
rest=$(find "$folder" -name 'kdbench-bench-*')
[[ -z $rest ]] || fail "left behind: $rest"
echo "$(wc -l <"$folder/names") benchmarks ran on 1 and 2 ranks"
