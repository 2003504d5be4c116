#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Tasks of the user's own through the whole program: labels of any number and scores, from files with columns in any order
# to report, predict, export and prepare. own_task_test.sh KDBENCH MPIEXEC... RANKS
set -u
kdbench=$(realpath "$1")
shift
launch=("$@")
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"
cd "$folder" || exit 1
kd() { timeout 120 "${launch[@]}" "$kdbench" "$@" --threads 1; }

# ---- data: four teams by the word of the ticket, and pairs with a score; dev has its columns in another order
mkdir -p data/tickets data/likeness words
printf '%s\n' '[PAD]' '[UNK]' '[CLS]' '[SEP]' '[MASK]' invoice crash login other please >words/vocab.txt
teams=(billing bugs access other) ticket=(invoice crash login other)
{ printf 'team\tbody\n'; for i in {0..39}; do printf '%s\t%s\n' "${teams[i % 4]}" "please ${ticket[i % 4]}"; done; } >data/tickets/train.tsv
{ printf 'id\tbody\tteam\n'; for i in {0..11}; do printf '%s\t%s\t%s\n' "$i" "please ${ticket[i % 4]}" "${teams[i % 4]}"; done; } >data/tickets/dev.tsv
{ printf 'body\n'; for i in {0..4}; do printf '%s\n' "${ticket[i % 4]}"; done; } >data/tickets/test.tsv
for split in train dev; do
  { printf 'a\tb\tscore\n'; for i in {0..15}; do printf '%s\t%s\t%s\n' "${ticket[i % 4]}" "${ticket[i / 4]}" $((i % 4 == i / 4 ? 1 : -1)); done; } >data/likeness/$split.tsv
done
cat >experiment.toml <<'EOF'
name = "own"
[data]
root = "data"
tasks = ["tickets", "likeness"]
max_seq_length = 12
[task.tickets]
text_a = "body"
label = "team"
labels = ["billing", "bugs", "access", "other"]
metrics = ["f1", "accuracy", "matthews"]
positive = "bugs"
[task.likeness]
text_a = "a"
text_b = "b"
label = "score"
[teacher]
architecture = "bert"
layers = 2
hidden = 32
heads = 2
tokenizer = "words"
[teacher.train]
epochs = 60
[student]
architecture = "bert"
layers = 1
hidden = 32
heads = 2
tokenizer = "words"
[train]
batch_size = 4
epochs = 60
learning_rate = 3e-3
dropout = 0.0
[[method]]
name = "kd"
EOF

expect 0 "tickets" kd run experiment.toml --dry-run
expect 0 "2 runs done, 0 reused, 0 failed" kd run experiment.toml --out out
run=$(echo out/own/tickets-kd-s1-*)
grep -q '"f1"' "$run/run.json" || problem "no f1 in run.json"
[ "$(wc -l <"$run/predictions/tickets-test.tsv")" = 6 ] || problem "test rows are not predicted"
[ "$(tail -n +2 "$run/predictions/tickets-dev.tsv" | cut -f2 | head -4 | paste -sd' ')" = "${teams[*]}" ] ||
  problem "dev predictions: $(cat "$run/predictions/tickets-dev.tsv")"
expect 0 "matthews" "$kdbench" report out/own --out report
expect 0 "0 runs done, 2 reused" kd run experiment.toml --out out
expect 0 "2 runs done, 0 reused" kd run experiment.toml --out out --force
# Another declaration is another run.
expect 0 "1 runs done, 0 reused" kd run experiment.toml --out out --tasks tickets --set 'task.tickets.metrics=["accuracy"]'

# ---- the verbs of single stages: a run's record declares its task, an experiment file does for other models
expect 0 "tickets dev:" kd predict --model "$run" --data data --out out
cmp -s "$run/predictions/tickets-dev-logits.tsv" out/predict/tickets-predict-*/predictions/tickets-dev-logits.tsv ||
  problem "predict gives other logits than the run"
cp -r "$run/model" model
expect 2 "unknown task 'tickets'" kd predict --model model --data data --tasks tickets --out out
expect 0 "tickets dev:" kd predict --model model --data data --tasks tickets --declared-in experiment.toml --out out
expect 0 "outputs.h5" kd export --model "$run" --data data --teacher-outputs outputs.h5 --out out
expect 0 "likeness" kd prepare --data data --tasks tickets,likeness --tokenizer words --declared-in experiment.toml --out out
expect 2 "no folder" kd run experiment.toml --out out --set data.root=nothing
sed -i 's/^team/group/' data/tickets/train.tsv
expect 2 "train.tsv:1: the header has no column 'team'" kd run experiment.toml --out out
[ $failures = 0 ]
