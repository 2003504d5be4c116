#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The verb comm from outside. comm_test.sh KDBENCH RANKS TEST_DATA MPIEXEC...
set -u
kdbench=$1 ranks=$2 data=$3
shift 3
launch=("$@")
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"
comm() { timeout 60 "${launch[@]}" "$kdbench" comm --calls 3 "$@"; }

model=$(dirname "$(find "$data" -name config.json | sort | head -1)")
expect 0 "busbw GB/s" comm --max-bytes 16384
expect 0 "gradients of a step" comm --max-bytes 4096 --model "$model" --tokens 3
expect 2 "is more than --max-bytes" comm --min-bytes 4096 --max-bytes 1024
expect 2 "nothing" comm --max-bytes 4096 --model "$folder/nothing"
expect 2 "--calls" comm --calls 0
# 4 operations x 1, 4, 16 KiB, all right.
comm --max-bytes 16384 --json >"$folder/document" 2>"$folder/errors" || problem "--json: $(cat "$folder/errors")"
[ "$(grep -c '"operation"' "$folder/document")" = 12 ] || problem "not 12 rows: $(cat "$folder/document")"
[ "$(grep -c '"wrong": 0' "$folder/document")" = 12 ] || problem "something is wrong: $(cat "$folder/document")"
grep -q "\"ranks\": $ranks" "$folder/document" || problem "not of $ranks ranks"
# On one rank nothing moves.
[ "$ranks" != 1 ] || ! grep -q '"busbw_bytes_per_s": [0-9]' "$folder/document" || problem "a bandwidth of one rank"
exit $((failures > 0))
