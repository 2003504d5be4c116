# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# To be sourced in an empty folder, with $data: experiment.toml with every method and every kind of stage, and what two jobs'
# results have in common.
cat >experiment.toml <<END
name = "every"
[data]
root = "$data/rows"
tasks = ["RTE"]
max_seq_length = 24
[teacher]
architecture = "bert"
layers = 3
hidden = 16
heads = 2
tokenizer = "$data/rows"
[teacher.train]
epochs = 3
[assistant]
architecture = "bert"
layers = 2
hidden = 16
heads = 2
tokenizer = "$data/rows"
[assistant.train]
epochs = 3
[student]
architecture = "bert"
layers = 2
hidden = 16
heads = 2
tokenizer = "$data/rows"
[transfer]
kind = "rules"
n_iter = 2
samples = 60
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
batch_size = 4
epochs = 6
learning_rate = 3e-3
dropout = 0.1
checkpoint = "best"
eval_steps = 4
seeds = [1]
[[method]]
name = "finetune"
train.precision = "fp16"
[[method]]
name = "kd"
train.optimizer = "bert_adam"
[[method]]
name = "takd"
[[method]]
name = "pkd"
[[method]]
name = "annealing-kd"
phase1_epochs = 4
phase2_epochs = 2
max_temperature = 4
[[method]]
name = "prokt"
teacher_learning_rate = 3e-3
dual = true
[[method]]
name = "fsd"
centroids = 6
[[method]]
name = "d-lite"
train = { optimizer = "adadelta", learning_rate = 1.0, epochs = 2, eval_steps = 0 }
student = { architecture = "bilstm", hidden = 8, fc = 8, embedding = 8 }
[[method]]
name = "d-heavy"
train = { optimizer = "adadelta", learning_rate = 1.0, epochs = 2, eval_steps = 0 }
student = { architecture = "bilstm", hidden = 8, fc = 8, embedding = 8 }
END

# result OUT: a line for each file that a finished job leaves and that does not depend on time: its hash. Of events all but
# how long a step took.
result() {
  (
    cd "$1" || exit
    find . -type f \( -name '*.h5' -o -name '*.safetensors' -o -path '*/predictions/*' -o -name 'set.tsv' \) \
      ! -path '*.partial*' ! -path '*.checkpoint*' -exec sha256sum {} +
    find . -name events.jsonl ! -path '*.partial*' | while read -r file; do
      echo "$(sed 's/"step_s":[^,}]*//' "$file" | sha256sum | cut -d' ' -f1)  $file"
    done
  ) | sort -k 2
}
# half_made OUT: what a job has begun and not finished.
half_made() { find "$1" -name '*.partial' -o -name '*.checkpoint'; }
