#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Students that learn from texts of a language model, from one experiment file: planned, made, again, on other ranks, by hand, and what is refused.
# language_set_test.sh KDBENCH JSON_VALUE TEST_DATA MPIEXEC... RANKS
set -u
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"
# shellcheck source=tests/support/program.sh
. "$(dirname "$0")/../support/program.sh"

cat >heavy.toml <<EOF
name = "heavy"
[data]
root = "$data/rows"
tasks = ["CoLA", "RTE"]
max_seq_length = 24
[teacher]
architecture = "bert"
layers = 1
hidden = 16
heads = 2
tokenizer = "$data/rows"
[teacher.train]
optimizer = "adamw"
learning_rate = 3e-3
[student]
architecture = "bilstm"
hidden = 8
fc = 8
embedding = 8
[transfer]
kind = "rules"
n_iter = 2
samples = 150
sample_length = 24
text_length = 32
[transfer.model]
architecture = "gpt2"
layers = 1
hidden = 16
heads = 2
max_positions = 32
tokenizer = "$data/rows"
[transfer.train]
optimizer = "adamw"
learning_rate = 3e-3
epochs = 3
[train]
batch_size = 16
epochs = 2
optimizer = "adadelta"
learning_rate = 1.0
[[method]]
name = "d-lite"
[[method]]
name = "d-heavy"
EOF

# ---- a plan makes nothing and names all; then everything is made once
expect 0 "language-model   CoLA seed 1" kd run heavy.toml --dry-run --out out
[ -e out ] && problem "a plan leaves something"
grep -q "transfer-set     CoLA by language-model" <<<"$output" || problem "no set in the plan: $output"
grep -q "features         RTE transfer set by language-model" <<<"$output" || problem "no features of the set in the plan"
expect 0 "language-model " alone status heavy.toml --out out
expect 0 "4 runs done, 0 reused, 0 failed" kd run heavy.toml --out out --threads 1
grep -q "perplexity" <<<"$output" || problem "no table of language models: $output"
expect 0 "0 runs done, 4 reused, 0 failed" kd run heavy.toml --out out --threads 1
grep -qE "making|preparing|storing" <<<"$output" && problem "a second call makes something: $output"
expect 0 " 0 waiting, 0 missing" alone status heavy.toml --out out

# ---- the same set whatever the number of ranks, and by hand from the model that the stage leaves
expect 0 "4 runs done" alone run heavy.toml --out alone --threads 1
for task in CoLA RTE; do
  run=$(echo out/heavy/$task-d-heavy-s1-*)
  stage=$(value /transfer_set/stage "$run/run.json")
  set=out/.stages/$stage/set.tsv
  cmp "$set" "alone/.stages/$stage/set.tsv" || problem "$task: another set on another number of ranks"
  [ "$(value /transfer_set/begun "$run/run.json")" = 150 ] || problem "$task: not as many texts as asked for"
  rows=$(($(wc -l <"$set") - 1))
  [ $((rows + $(value /transfer_set/malformed "$run/run.json"))) = 150 ] || problem "$task: rows are missing"
  [ "$(value /samples "$run/run.json")" = $((2 * rows)) ] || problem "$task: the student saw other rows"
  model=$(echo out/heavy/$task-language-model-s1-*)
  [ "$(value /metrics/last/dev/perplexity "$model/run.json" | cut -d. -f1)" -gt 1 ] || problem "$task: no perplexity"
  expect 0 "texts begun 150" kd generate --model "$model/$(value /model "$model/run.json")" --data "$data/rows" --task $task \
    --samples 150 --sample-length 24 --out "$task.tsv"
  cmp "$set" "$task.tsv" || problem "$task: generate writes another set"
done
awk -F'\t' 'NF != 3' RTE.tsv | grep -q . && problem "a pair without two texts"

# ---- what is refused, all at once
no() {
  local what=$1
  shift
  expect 2 "$what" alone run heavy.toml --dry-run --out none "$@"
}
no "a roberta model is no language model" --set transfer.model.architecture=roberta
no "is of language models that fill masks" --set transfer.infill_prob=0.3
no "language model has 32 positions" --set transfer.sample_length=64
no 'has no label "maybe"' --set transfer.filter_label=maybe
no "CoLA has single texts" --set transfer.conditioned_model=true
no "is a language model and has no classes" --set teacher.architecture=gpt2
no "a number > 0" --set transfer.temperature=0
sed '/^\[transfer.train\]/,/^epochs/d' heavy.toml >untrained.toml
expect 2 "without weights must be trained" alone run untrained.toml --dry-run --out none
sed '/^\[transfer.model\]/,/^epochs/d' heavy.toml >without.toml
expect 2 "is of [transfer.model], which is not there" alone run without.toml --dry-run --out none
expect 2 "add [transfer.model]" alone run without.toml --dry-run --out none --set transfer.kind=language-model
[ -e none ] && problem "a refused experiment leaves something"
exit $((failures > 0))
