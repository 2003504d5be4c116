#!/bin/bash
# SPDX-License-Identifier: MIT
# kdbench glue-zip from outside, on made-up runs: which run gives which file, and the archive. glue_zip_test.sh KDBENCH
set -u
kdbench=$1
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"
cd "$folder" || exit 1

# run FOLDER TASK LABEL SEED ROLE METRICS: a finished run without predictions.
run() {
  mkdir -p "$1/predictions"
  cat >"$1/run.json" <<END
{"schema_version": 1, "run_id": "$(basename "$1")", "status": "done", "experiment": "exp", "task": "$2", "label": "$3",
 "method": "$3", "role": "$5", "seed": $4, "checkpoint": "last", "metrics": {"last": {"dev": {$6}}}}
END
}
# predictions FILE ROWS VALUE
predictions() {
  awk -v rows="$2" -v value="$3" \
    'BEGIN { print "index\tprediction"; for (i = 0; i < rows; ++i) print i "\t" value }' >"$1"
}
has() { grep -qF -- "$1" <<<"$output" || problem "no line '$1' in: $output"; }

run exp/a-s1 RTE kd 1 student '"accuracy": 0.5'
predictions exp/a-s1/predictions/RTE-test.tsv 3000 entailment
run exp/a-s2 RTE kd 2 student '"accuracy": 0.7'
predictions exp/a-s2/predictions/RTE-test.tsv 3000 not_entailment
run exp/a-teacher RTE teacher 1 teacher '"accuracy": 0.9'
predictions exp/a-teacher/predictions/RTE-test.tsv 3000 entailment
run exp/b-s1 STS-B kd 1 student '"pearson": 0.5, "spearman": 0.5'
predictions exp/b-s1/predictions/STS-B-test.tsv 1379 5.25
run exp/c-s1 MNLI kd 1 student '"accuracy": 0.5'
predictions exp/c-s1/predictions/MNLI-test_matched.tsv 9796 neutral
predictions exp/c-s1/predictions/MNLI-diagnostic.tsv 1104 neutral
run exp/d-s1 WNLI kd 1 student '"accuracy": 0.5'
run predict/ax AX predict 0 predict ''
predictions predict/ax/predictions/AX-diagnostic.tsv 1104 entailment

# Several runs of a task: all are named; nothing is written.
expect 2 "RTE: 2 runs, and one is needed" "$kdbench" glue-zip exp --out out
has "exp/a-s1"
has "exp/a-s2 (name its folder, or choose with --label, --seed or --best)"
[ -e out ] && problem "an error leaves $(ls out)"

expect 0 "submission in $folder/out/submission.zip" "$kdbench" glue-zip exp predict --seed 1 --out out/
has "RTE.tsv      exp/a-s1"
has "STS-B.tsv    exp/b-s1"
has "MNLI-m.tsv   exp/c-s1"
has "MNLI-mm.tsv  filled with contradiction (9847 rows): exp/c-s1 has no predictions of test_mismatched"
has "WNLI.tsv     filled with 0 (146 rows): exp/d-s1 has no predictions of test"
has "QQP.tsv      filled with 0 (390965 rows): no run of QQP"
has "AX.tsv       exp/c-s1"
[ "$(unzip -Z1 out/submission.zip | tr '\n' ' ')" = \
  "CoLA.tsv SST-2.tsv MRPC.tsv STS-B.tsv MNLI-m.tsv MNLI-mm.tsv QNLI.tsv QQP.tsv RTE.tsv WNLI.tsv AX.tsv " ] ||
  problem "the archive holds $(unzip -Z1 out/submission.zip)"
unzip -tq out/submission.zip >/dev/null || problem "the archive is damaged"
for file in out/*.tsv; do
  unzip -p out/submission.zip "$(basename "$file")" | cmp - "$file" || problem "$file differs in the archive"
done
[ "$(ls out | wc -l)" = 12 ] || problem "the folder holds $(ls out)"
[ "$(head -2 out/STS-B.tsv | tail -1)" = "$(printf '0\t5.000')" ] || problem "STS-B: $(head -2 out/STS-B.tsv)"
[ "$(sed -n 1p out/RTE.tsv)" = "$(printf 'index\tprediction')" ] || problem "no header"
[ "$(tail -1 out/RTE.tsv)" = "$(printf '2999\tentailment')" ] || problem "RTE ends with $(tail -1 out/RTE.tsv)"
[ "$(tail -1 out/AX.tsv)" = "$(printf '1103\tneutral')" ] || problem "AX ends with $(tail -1 out/AX.tsv)"
[ "$(wc -l <out/QQP.tsv)" = 390966 ] || problem "QQP has $(wc -l <out/QQP.tsv) lines"

# The same bytes at any time and place; nothing is overwritten.
expect 0 "submission in $folder/again.zip" env TZ=Asia/Tokyo "$kdbench" glue-zip exp predict --seed 1 --out again.zip
cmp out/submission.zip again.zip || problem "the archive's bytes change"
expect 2 "--out again.zip: is already there" "$kdbench" glue-zip exp --seed 1 --out again.zip
expect 2 "--out out: is already there" "$kdbench" glue-zip exp --seed 1 --out out
[ -z "$(find . -name '*.partial')" ] || problem "half-made: $(find . -name '*.partial')"

# The best by dev score is said to be; teachers count by their label.
expect 0 "exp/a-s2, best of 2 runs by dev accuracy 0.700" "$kdbench" glue-zip exp --best --out best.zip
expect 0 "RTE.tsv      exp/a-teacher" "$kdbench" glue-zip exp --label teacher --out teacher.zip
expect 2 "no run has predictions of a test set" "$kdbench" glue-zip exp --label kdd --out none.zip
# The diagnostic set by itself.
expect 0 "AX.tsv       predict/ax" "$kdbench" glue-zip predict --out ax.zip

# A prediction by itself fills in where the runs that are chosen have none.
mv exp/c-s1/predictions/MNLI-diagnostic.tsv .
expect 0 "AX.tsv       predict/ax" "$kdbench" glue-zip exp predict --seed 1 --out ax-predicted.zip
mv MNLI-diagnostic.tsv exp/c-s1/predictions
# Assistants count where there is no student, or by their label.
run takd/s QNLI takd 1 student '"accuracy": 0.5'
run takd/a QNLI takd-assistant 1 assistant '"accuracy": 0.6'
for folder_of in s a; do predictions takd/$folder_of/predictions/QNLI-test.tsv 5463 entailment; done
expect 0 "QNLI.tsv     takd/s" "$kdbench" glue-zip takd --best --out student.zip
expect 0 "QNLI.tsv     takd/a" "$kdbench" glue-zip takd --label takd-assistant --out assistant.zip

# A limited test set is refused.
predictions exp/b-s1/predictions/STS-B-test.tsv 64 1.0
expect 2 "has 64 rows, the leaderboard's STS-B.tsv must have 1379" "$kdbench" glue-zip exp --seed 1 --out few.zip
expect 0 "STS-B.tsv    exp/b-s1" "$kdbench" glue-zip exp --seed 1 --any-size --out few.zip

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0)) # not the number: 77 would count as skipped
