# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# To be sourced in an empty folder: the experiment of a run that takes a second, and writes and reads both stores with all
# that the teacher's can hold.
rows() {
  printf 'index\tsentence1\tsentence2\tlabel\n'
  local i
  for ((i = 0; i < $1; i++)); do
    printf '%d\ta b\tc%s\t%s\n' "$i" "${words[i % 2]}" "${labels[i % 3 > 0]}"
  done
}
words=("" " a") labels=(not_entailment entailment)
mkdir -p tokenizer data/RTE
printf '%s\n' '[PAD]' '[UNK]' '[CLS]' '[SEP]' '[MASK]' a b c >tokenizer/vocab.txt
rows 7 >data/RTE/train.tsv
rows 3 >data/RTE/dev.tsv
shape='architecture = "bert"
layers = 2
hidden = 16
heads = 2
intermediate = 32
max_positions = 16
tokenizer = "tokenizer"'
cat >experiment.toml <<END
name = "tiny"
[data]
root = "data"
tasks = ["RTE"]
max_seq_length = 16
[teacher]
$shape
[teacher.train]
epochs = 1
[student]
$shape
[train]
batch_size = 4
epochs = 1
seeds = [1]
[[method]]
name = "pkd"
[[method]]
name = "fsd"
centroids = 4
END
