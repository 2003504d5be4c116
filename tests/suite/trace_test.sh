#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --trace: a timeline of one step, of every rank. trace_test.sh KDBENCH RANKS DATA MPIEXEC...
set -u
kdbench=$1 ranks=$2 data=$3
shift 3
launch=("$@")
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"
run() { timeout 120 "${launch[@]}" "$kdbench" run "$data/parity/prokt-rte/experiment.toml" --device cpu --out "$folder/out" "$@"; }

expect 2 "is no folder" run --trace "$folder/nowhere/trace.json"
expect 2 "is a folder" run --trace "$folder"
expect 0 "1 runs done" run --trace "$folder/trace.json"
[ -s "$folder/trace.json" ] || problem "no trace"
for name in "forward and loss" backward optimizer attention aten::mm; do
  found=$(grep -o "\"name\":\"$name\"" "$folder/trace.json" | wc -l)
  # Both models take a step.
  [ "$found" -ge $((2 * ranks)) ] || problem "$found times $name"
done
[ "$(grep -o '"process_name"' "$folder/trace.json" | wc -l)" = "$ranks" ] || problem "not of $ranks ranks"
[ ! -e "$folder/trace.json.partial" ] || problem "half a trace"
exit $((failures > 0))
