#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# scale_test.sh PROGRAM JSON_VALUE DATA MPIEXEC...: scaling studies of a small training: tables, what is the same on all
# numbers of ranks, runs apart from ordinary ones, mistakes.
set -euo pipefail
kdbench=$1 json_value=$2 data=$3
shift 3
launch=("$@")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
experiment=$data/parity/kd-rte/experiment.toml
out=$folder/out

fail() {
  echo "$1"
  tail -n 20 "$folder"/*.log "$out"/*/*/.runs/*/log 2>/dev/null || true
  exit 1
}
scale() { timeout 200 "$kdbench" scale "$experiment" --launcher "${launch[*]} {ranks}" --threads 1 "$@"; }
value() { "$json_value" "/$1" <"$folder/answer.json"; }

scale --set train.epochs=2 --ranks 1,2 --rounds 2 --precision 1e-9 --out "$out" --json >"$folder/answer.json" 2>"$folder/strong.log" ||
  fail "strong: exit $?"
[[ $(value scaling/rounds) == 2 && $(value scaling/precise) == false ]] || fail "strong: not two rounds"
for row in 0 1; do
  [[ $(value "scaling/rows/$row/ranks") == $((row + 1)) && $(value "scaling/rows/$row/runs") == 2 ]] || fail "strong: row $row"
  [[ $(value "scaling/rows/$row/batch") == $(value scaling/rows/0/batch) ]] || fail "strong: the batch is not the same"
done
awk -v d="$(value scaling/rows/1/loss_difference)" 'BEGIN { exit !(d < 1e-4) }' || fail "strong: another training on two ranks"
study=$(value scaling/folder)
for file in scaling.md scaling.csv scaling.json; do [[ -s $study/$file ]] || fail "no $file"; done
grep -q "^kdbench: round 2, 2 ranks: " "$folder/strong.log" || fail "no word on each run"

# The teacher was made once, and is an ordinary run's too; the study's runs are in no table.
"$kdbench" report "$out" --out "$folder/report" >"$folder/report.log" 2>&1 && fail "a study's runs are reported"
grep -q "no run" "$folder/report.log" || fail "the report says something else"

scale --set train.epochs=2 --ranks 1,2 --mode weak --rounds 1 --out "$out" --json >"$folder/answer.json" 2>"$folder/weak.log" ||
  fail "weak: exit $?"
[[ $(value scaling/rows/1/batch) == $((2 * $(value scaling/rows/0/batch))) ]] || fail "weak: the batch does not grow"

# refuse TEXT ARGUMENTS...
refuse() {
  local text=$1 status=0
  shift
  scale "$@" --out "$out" >"$folder/refused.log" 2>&1 || status=$?
  [[ $status -eq 2 ]] && grep -q -- "$text" "$folder/refused.log" || fail "$*: exit $status, no '$text'"
}
refuse "is already there" --ranks 1,2
refuse "numbers that grow" --ranks 2,1 --mode weak
refuse "no such method" --ranks 1,2 --method nobody
refuse "not more than 3 steps" --ranks 1 --set train.epochs=1 --set name=other --set data.train_limit=8
"$kdbench" scale "$experiment" --ranks 1 --launcher "mpirun -n 4" --set name=third --out "$out" >"$folder/refused.log" 2>&1 &&
  fail "a launcher without a number is taken"
grep -q "does not say where the number of ranks stands" "$folder/refused.log" || fail "a launcher without a number: other words"
echo "all as expected"
