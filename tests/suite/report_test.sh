#!/bin/bash
# SPDX-License-Identifier: MIT
# kdbench report from outside, alone and on two ranks. report_test.sh KDBENCH MPIEXEC... (up to the number of ranks)
set -u
kdbench=$1
shift
launch=("$@")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0

# expect CODE PATTERN COMMAND...: the exit code, and exactly one line of output that holds PATTERN.
expect() {
  local code=$1 pattern=$2
  shift 2
  "$@" >output 2>&1 </dev/null
  local found=$?
  if [ "$found" != "$code" ] || [ "$(grep -cF -- "$pattern" output)" != 1 ]; then
    echo "FAILED: $* (exit $found, expected $code with one '$pattern')"
    cat output
    failures=$((failures + 1))
  fi
}

# run ID LABEL SEED ACCURACY
run() {
  mkdir -p "results/exp/$1"
  cat >"results/exp/$1/run.json" <<END
{"schema_version": 1, "run_id": "$1", "status": "done", "reason": "", "experiment": "exp", "task": "RTE", "label": "$2",
 "method": "$2", "role": "student", "seed": $3, "checkpoint": "last", "metrics": {"last": {"dev": {"accuracy": $4}}},
 "samples": 100, "steps": 10, "epochs": 1, "parameters": 1000000, "time": {"train_s": 2.0, "core_s": 4.0},
 "throughput": {"samples_per_s_global": 50.0}}
END
}

# has FILE PATTERN...: each of them on exactly one line.
has() {
  local file=$1
  shift
  for pattern in "$@"; do
    [ "$(grep -cF -- "$pattern" "$file")" = 1 ] && continue
    echo "FAILED: $file has not exactly one line with '$pattern'"
    cat "$file"
    failures=$((failures + 1))
  done
}

expect 2 "RESULTS is required" "$kdbench" report --out report
expect 2 "--out is required" "$kdbench" report results
mkdir results
expect 2 "no run (run.json) in it" "$kdbench" report results --out report

run RTE-finetune-s1 finetune 1 0.50
run RTE-kd-s1 kd 1 0.75
run RTE-kd-s2 kd 2 0.25
mkdir results/exp/RTE-kd-s3.partial
touch results/exp/RTE-kd-s3.partial/events.jsonl
for how in "" "${launch[*]} 2"; do
  # shellcheck disable=SC2086
  expect 0 "report in $folder/report" $how "$kdbench" report results --out report/
  has output "RTE   kd        2  0.500 (0.354)        1.00       1     10     4.0      2.0       50.0" \
    "RTE-kd-s3  stopped  not finished"
  has report/report.md "| RTE | kd | finetune | last | 1 | +0.250 | 1.00 | 1.00 |"
  has report/comparison.csv "exp,RTE,kd,last,,2,0,0,0.5,0.3535533905932738,1000000,1,10,4,2,50,,"
  has report/runs.csv "exp,RTE-kd-s2,results/exp/RTE-kd-s2,RTE,kd,kd,student,2,done,,last,0.25,"
  # shellcheck disable=SC2086
  expect 2 "results: is there already, and is no report" $how "$kdbench" report results --out results
done
expect 0 "report in $folder/report" "$kdbench" report results/exp/RTE-kd-s1 results/exp --out report
rm -r report

# A lost record is listed and the others are in the tables; a newer program's is refused.
mkdir results/exp/RTE-kd-s4
echo '{' >results/exp/RTE-kd-s4/run.json
expect 1 "kdbench: not in the tables: results/exp/RTE-kd-s4: run.json is no JSON" "$kdbench" report results --out report
has output "report in $folder/report" "RTE-kd-s4  damaged  run.json is no JSON"
has report/report.md "5 runs: 3 done, 0 failed, 1 stopped, 1 damaged." "| RTE-kd-s4 | damaged | run.json is no JSON"
has report/comparison.csv "exp,RTE,kd,last,,2,0,0,0.5,"
expect 2 "RTE-kd-s4/run.json: is no JSON" "$kdbench" glue-zip results --out x.zip
rm -r report
mkdir results/newer
echo '{"schema_version": 7}' >results/newer/run.json
expect 2 "schema_version 7 is newer than this program's 2" "$kdbench" report results --out report
[ -e report ] && echo "FAILED: a report without a newer run" && failures=$((failures + 1))

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0)) # not the number: 77 would count as skipped
