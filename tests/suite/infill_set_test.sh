#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# d-heavy by a masked language model: learned and made from one experiment file, the same set on one rank and by hand, and what is refused.
# infill_set_test.sh KDBENCH JSON_VALUE TEST_DATA MPIEXEC... RANKS
set -u
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"
# shellcheck source=tests/support/program.sh
. "$(dirname "$0")/../support/program.sh"

cat >infill.toml <<EOF
name = "infill"
[data]
root = "$data/rows"
tasks = ["CoLA", "RTE"]
max_seq_length = 24
[teacher]
weights = "$data/models/masked-bert"
[teacher.train]
[student]
architecture = "bilstm"
hidden = 8
fc = 8
embedding = 8
[transfer]
kind = "language-model"
samples = 150
sample_length = 24
text_length = 24
infill_prob = 0.5
[transfer.model]
weights = "$data/models/masked-bert"
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
name = "d-heavy"
EOF

# ---- planned, made, and again
expect 0 "language-model   CoLA seed 1" kd run infill.toml --dry-run --out out
[ -e out ] && problem "a plan leaves something"
expect 0 "2 runs done, 0 reused, 0 failed" kd run infill.toml --out out --threads 1
grep -q "perplexity" <<<"$output" || problem "no table of language models: $output"
expect 0 "0 runs done, 2 reused, 0 failed" kd run infill.toml --out out --threads 1
expect 0 " 0 waiting, 0 missing" alone status infill.toml --out out

# ---- the same on one rank, and by hand from the model that the stage leaves
expect 0 "2 runs done" alone run infill.toml --out alone
loss() { head -n 1 "$1"/infill/"$2"-language-model-s1-*/events.jsonl | "$json_value" /loss | cut -c -6; }
for task in CoLA RTE; do
  run=$(echo out/infill/$task-d-heavy-s1-*)
  stage=$(value /transfer_set/stage "$run/run.json")
  set=out/.stages/$stage/set.tsv
  [ "$(value /transfer_set/written "$run/run.json")" -gt 100 ] || problem "$task: hardly a text"
  [ "$(value /transfer_set/sampling/infill_prob "$run/run.json")" = 0.5 ] || problem "$task: no infill_prob in the record"
  model=$(echo out/infill/$task-language-model-s1-*)
  [ "$(value /method "$model/run.json")" = masked-token ] || problem "$task: another method"
  [ "$(value /metrics/last/dev/perplexity "$model/run.json" | cut -d. -f1)" -gt 1 ] || problem "$task: no perplexity"
  [ "$(loss out $task)" = "$(loss alone $task)" ] || problem "$task: another loss on one rank"
  for launcher in kd alone; do
    expect 0 "texts begun 150" $launcher generate --model "$model/$(value /model "$model/run.json")" --data "$data/rows" \
      --task $task --samples 150 --sample-length 24 --infill-prob 0.5 --out "$task-$launcher.tsv"
    cmp "$set" "$task-$launcher.tsv" || problem "$task: generate writes another set"
  done
done
awk -F'\t' 'NF != 3' RTE-alone.tsv | grep -q . && problem "a pair without two texts"

# ---- what is refused
no() {
  local what=$1
  shift
  expect 2 "$what" alone run infill.toml --dry-run --out none "$@"
}
no "split_encode: is of language models that go from left to right" --set transfer.split_encode=false
no "language model has 32 positions" --set transfer.text_length=64
sed '/^\[transfer.train\]/,/^epochs/d' infill.toml >untrained.toml
expect 0 "language-model   CoLA seed 1" alone run untrained.toml --dry-run --out none
expect 2 "holds no cls.predictions" alone run untrained.toml --dry-run --out none \
  --set "transfer.model.weights=$data/models/rte-teacher"
expect 2 "holds no cls.predictions" alone generate --model "$data/models/rte-teacher" --data "$data/rows" --task CoLA --out none.tsv
cp -r "$data/models/masked-bert" words
{
  printf '<eos>\n<unk>\n'
  seq 174
} >words/vocab.txt
no_mask="no mask that a language model could fill"
no "$no_mask" --set transfer.model.weights=words
expect 2 "$no_mask" alone generate --model words --data "$data/rows" --task CoLA --out none.tsv
[ -e none ] && problem "a refused experiment leaves something"
exit $((failures > 0))
