# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: MIT
# To be sourced, with a test's own arguments KDBENCH JSON_VALUE TEST_DATA MPIEXEC... RANKS, behind expect.sh: the program
# in the test's folder, on RANKS ranks and alone.
kdbench=$1 json_value=$2 data=$3
shift 3
launch=("$@")
cd "$folder" || exit 1
kd() { timeout 120 "${launch[@]}" "$kdbench" "$@"; }
alone() { timeout 120 "$kdbench" "$@"; }
# value POINTER FILE: of a JSON document
value() { "$json_value" "$1" <"$2" 2>&1; }
