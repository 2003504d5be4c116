#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Students that learn from a transfer set, from one experiment file: made, again, planned, looked at, and what is refused.
# transfer_test.sh KDBENCH JSON_VALUE TEST_DATA MPIEXEC... RANKS
set -u
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"
# shellcheck source=tests/support/program.sh
. "$(dirname "$0")/../support/program.sh"
# in_run RUN POINTER VALUE: of its run.json
in_run() {
  local found
  # shellcheck disable=SC2086 # a pattern
  found=$("$json_value" "$2" <"$(echo $1/run.json)" 2>&1)
  [ "$found" = "$3" ] || problem "$1 $2 is '$found', expected '$3'"
}
same() { cmp "$1" "$2" || problem "$1 and $2 differ"; }
losses() { grep '"type":"step"' "$1"/events.jsonl | sed 's/.*"loss":\([^,]*\),.*/\1/'; }
# alike RUN RUN: the same steps with the same losses, but for rounding
alike() {
  paste <(losses "$1") <(losses "$2") |
    awk 'NF != 2 || ($1 - $2) ^ 2 > 1e-6 { wrong = 1 } END { exit wrong || NR == 0 }' || problem "other losses: $1 $2"
}

cat >chain.toml <<EOF
name = "chain"
[data]
root = "$data/rows"
tasks = ["CoLA", "RTE"]
max_seq_length = 24
[teacher]
architecture = "bert"
layers = 2
hidden = 16
heads = 2
tokenizer = "$data/rows"
[teacher.train]
optimizer = "adamw"
learning_rate = 3e-3
epochs = 12
checkpoint = "last"
[student]
architecture = "bilstm"
hidden = 8
fc = 8
embedding = 8
[transfer]
kind = "rules"
n_iter = 3
[train]
batch_size = 16
epochs = 2
optimizer = "adadelta"
learning_rate = 1.0
checkpoint = "best"
[[method]]
name = "finetune"
[[method]]
name = "d-lite"
label = "logits"
transfer = "none"
[[method]]
name = "d-lite"
[[method]]
name = "kd"
alpha = 1.0
transfer = "set"
[[method]]
name = "pkd"
alpha = 1.0
beta = 10.0
transfer = "set"
[method.student]
architecture = "bert"
layers = 2
hidden = 16
heads = 2
tokenizer = "$data/rows"
EOF

# ---- a plan makes nothing and names all; then everything is made once, by these ranks and by one alone
expect 0 "transfer-set     CoLA" kd run chain.toml --dry-run --out out
[ -e out ] && problem "a plan leaves something"
grep -q "features         CoLA transfer set" <<<"$output" || problem "no features of the set in the plan"
grep -q "CoLA seed 1: logits.* on the transfer set" <<<"$output" || problem "no outputs on the set in the plan: $output"
planned=$(grep -o 'CoLA-d-lite-s1-[0-9a-f]*' <<<"$output" | head -1)
expect 0 "transfer-set " alone status chain.toml --out out
grep -q "run .*CoLA d-lite seed 1 .*waiting" <<<"$output" || problem "no waiting run: $output"
expect 0 "10 runs done, 0 reused, 0 failed" kd run chain.toml --out out --threads 1
[ -d "out/chain/$planned" ] || problem "the plan names $planned, there are $(ls out/chain)"
expect 0 "0 runs done, 10 reused, 0 failed" kd run chain.toml --out out --threads 1
grep -qE "making|preparing|storing" <<<"$output" && problem "a second call makes something: $output"
expect 0 " 0 waiting, 0 missing" alone status chain.toml --out out
expect 0 "10 runs done" alone run chain.toml --out alone --threads 1
for set in out/.stages/*/set.tsv; do same "$set" "alone/${set#out/}"; done
for run in out/chain/*-s1-*; do
  run=$(basename "$run")
  alike "out/chain/$run" "$(echo alone/chain/"${run%-*}"-*)"
done

# ---- the set is that of augment, and the student saw it alone
for task in CoLA RTE; do
  expect 0 "rows in" kd augment --data "$data/rows" --task $task --n-iter 3 --out $task.tsv
  set=$("$json_value" /transfer_set/stage <"$(echo out/chain/$task-d-lite-s1-*)/run.json")
  same "out/.stages/$set/set.tsv" $task.tsv
  rows=$(($(wc -l <$task.tsv) - 1))
  in_run "out/chain/$task-d-lite-s1-*" /transfer_set/rows $rows
  in_run "out/chain/$task-d-lite-s1-*" /transfer_set/sha256 "$(sha256sum <$task.tsv | cut -d' ' -f1)"
  in_run "out/chain/$task-d-lite-s1-*" /samples $((2 * rows))
  in_run "out/chain/$task-logits-s1-*" /samples 72
done
grep -q transfer_set "$(echo out/chain/CoLA-finetune-s1-*)/run.json" && problem "hard labels record a transfer set"
grep -qxiF '[mask]' out/.stages/*/vocab.txt || problem "the words lack those of the set"

# ---- files: what augment leaves, a file of any columns; the same rows, the same students
mkdir files && cp CoLA.tsv RTE.tsv files/
expect 2 'is of kind = "rules"' kd run chain.toml --out brought --threads 1 --set transfer.kind=files
sed '/^n_iter/d' chain.toml >brought.toml
expect 0 "10 runs done" kd run brought.toml --out brought --threads 1 --set transfer.kind=files
for run in out/chain/*-d-lite-s1-*; do
  alike "$run" "$(echo "brought/chain/$(basename "${run%-*}")"-*)"
done
{
  printf 'logits_0\tsentence\textra\n'
  tail -n +2 CoLA.tsv | awk -F'\t' '{print "0.5\t" $2 "\tx"}'
} >columns.tsv
expect 0 "runs done" kd distill brought.toml --method d-lite --out columns --threads 1 --set transfer.kind=columns.tsv --set "data.tasks=['CoLA']"
same columns/.stages/*/set.tsv CoLA.tsv
in_run "columns/chain/CoLA-d-lite-s1-*" /transfer_set/kind file

# ---- the teacher's own choice in place of labels; a teacher that runs beside the student
expect 0 "5 runs done" kd run chain.toml --out labels --threads 1 --set "data.tasks=['CoLA']" --set transfer.labels=teacher \
  --set method.kd.alpha=0.5
grep -q '"ce":' "$(echo labels/chain/CoLA-kd-s1-*)/events.jsonl" || problem "no hard term"
expect 0 "1 runs done" kd distill chain.toml --tasks CoLA --method d-lite --out beside --threads 1 --set method.d-lite.teacher_outputs=online
alike "$(echo beside/chain/CoLA-d-lite-s1-*)" "$(echo out/chain/CoLA-d-lite-s1-*)"

# ---- an experiment from what a run left
alone inspect "$(echo out/chain/CoLA-d-lite-s1-*)" --experiment >again.toml || problem "inspect --experiment"
expect 0 "0 runs done, 10 reused" kd run again.toml --out out --threads 1

# ---- mistakes, before anything is trained
no() { expect 2 "$1" kd run chain.toml --out no --threads 1 "${@:2}"; }
no "hard labels, and the rows of [transfer] have none" --set method.kd.alpha=0.5
no "hard labels, and the rows of [transfer] have none" --set method.d-lite.ce_weight=0.1
no "add [transfer.model]" --set transfer.kind=language-model
no "takes no outputs of a teacher" --set method.finetune.transfer=rules
no "no file or folder" --set transfer.kind=nowhere.tsv --set transfer.n_iter=3
no "expected a number from 0 to 1" --set transfer.mask_prob=2
no "together 1.5" --set transfer.mask_prob=0.8 --set transfer.random_prob=0.7
no "is no folder" --set transfer.tagger=nowhere
no "no method learns from its rows" --set method.d-lite.transfer=none --set method.kd.transfer=none --set method.pkd.transfer=none
expect 2 "one file, but several tasks" kd run brought.toml --out no --set transfer.kind=CoLA.tsv
sed '/^\[transfer\]/,/^n_iter/d' chain.toml >none.toml
expect 2 "there is no [transfer] to learn from" kd run none.toml --out no
printf 'index\tsentence\n' >empty.tsv
printf 'text\nthe girl sleeps\n' >other.tsv
printf 'sentence\tx\nthe girl sleeps\n' >short.tsv
one=(run brought.toml --threads 1 --set "data.tasks=['CoLA']")
expect 2 "the transfer set has no rows" kd "${one[@]}" --out no --set transfer.kind=empty.tsv
expect 2 "no column 'sentence'" kd "${one[@]}" --out no --set transfer.kind=other.tsv
expect 2 "1 cells instead of 2" kd "${one[@]}" --out no --set transfer.kind=short.tsv
expect 2 "the transfer set has no rows" kd "${one[@]}" --out no --dry-run --set transfer.kind=empty.tsv
sed '/architecture = "bilstm"/,/embedding/d; s/^\[student\]/[student]\narchitecture = "bert"\nlayers = 1\nhidden = 16\nheads = 2\ntokenizer = "rows"/' brought.toml |
  sed "s|\"rows\"|\"$data/rows\"|" >pieces.toml # no model of the data's words
expect 2 "the transfer set has no rows" kd run pieces.toml --out no --set "data.tasks=['CoLA']" --set transfer.kind=empty.tsv
[ -d no/chain ] && problem "a mistake leaves runs"
[ -d no ] && [ -n "$(find no -name set.tsv -not -path '*.partial/*')" ] && problem "a mistake leaves a set"

# ---- one class: said, and the run goes on
printf 'sentence\nthe girl sleeps today\n' >one.tsv
expect 0 "the teacher finds one class in the whole transfer set" kd "${one[@]}" --out out --set transfer.kind=one.tsv

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0)) # not the number: 77 would count as skipped
