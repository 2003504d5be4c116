#!/bin/bash
# SPDX-License-Identifier: MIT
# The program from outside: exit codes and what is printed. cli_test.sh KDBENCH TEST_DATA
set -u
kdbench=$1
data=$2
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"

expect 0 "kdbench " "$kdbench" --version
expect 0 "tokenize" "$kdbench" --help
expect 0 "--max-length" "$kdbench" tokenize --help
expect 2 "did you mean 'tokenize'?" "$kdbench" tokenise
expect 2 "--tokenizer is required" "$kdbench" tokenize
expect 2 "subcommand is required" "$kdbench"
expect 2 "--nonsense" "$kdbench" methods --nonsense
expect 2 "did you mean '--max-length'?" "$kdbench" tokenize --max-lenght=3
expect 0 "a number from 0 to 1" "$kdbench" methods kd
expect 0 "finetune: " "$kdbench" methods
expect 0 "one of \"fp32\"" "$kdbench" methods train
expect 0 "an integer from 1 to 4096" "$kdbench" methods bert
expect 0 "the label that F1 is about" "$kdbench" keys
expect 0 "max_seq_length" "$kdbench" keys data
expect 2 "did you mean 'teacher'?" "$kdbench" keys teachers
expect 0 "distilroberta" "$kdbench" methods roberta
expect 2 "did you mean 'kd'?" "$kdbench" methods kdd
expect 0 "on texts of a language model" "$kdbench" methods d-heavy
expect 0 '"root": "synthetic"' "$kdbench" inspect "$(dirname "$0")/../../suite/experiments/quickstart.toml"
expect 2 "no such file or folder" "$kdbench" inspect "$folder/nothing"
expect 2 "there is no such folder" "$kdbench" tokenize --tokenizer "$folder/nothing"

# Without ranks: where a job's variables stand, but nobody who would answer MPI.
job=(env PMIX_RANK=0 PMIX_NAMESPACE=none PMIX_SERVER_URI3=none SLURM_JOB_ID=1 SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_NTASKS=4)
expect 0 "kdbench " "${job[@]}" "$kdbench" --version
expect 0 "tokenize" "${job[@]}" "$kdbench" --help
expect 0 "--dry-run" "${job[@]}" "$kdbench" run --help
expect 0 "finetune: " "${job[@]}" "$kdbench" methods
expect 2 "no such folder" "${job[@]}" "$kdbench" report "$folder/nothing" --out "$folder/report"
expect 2 "no such file or folder" "${job[@]}" "$kdbench" inspect "$folder/nothing"
[ -z "$(env SLURM_PROCID=1 "$kdbench" methods)" ] || problem "a second rank says something too"
# A closed stderr, or a full one, changes nothing but that.
"$kdbench" methods kdd 2>&-
[ $? = 2 ] || problem "a closed stderr"
"$kdbench" methods kdd 2>/dev/full
[ $? = 2 ] || problem "a full stderr"
# What belongs to a plan is refused without one.
expect 2 "--node-memory: belongs to --dry-run" "$kdbench" run x.toml --node-memory 8
expect 2 "--gflops: belongs to --dry-run" "$kdbench" distill x.toml --gflops 8

for verb in finetune export distill predict glue-zip; do
  expect 0 "--out" "$kdbench" $verb --help
done
expect 2 "there is no such file" "$kdbench" distill "$folder/nothing.toml"
expect 2 "is a folder" "$kdbench" run "$folder"
expect 2 "which tasks?" "$kdbench" predict --model "$folder" --data "$folder"
expect 2 "--store-dtype" "$kdbench" export --store-dtype int8
# All mistakes at once.
expect 2 "7 problems" "$kdbench" export --model "$folder/nothing" --data "$folder/none" --task MRCP --memory "$folder/memory" \
  --teacher-outputs "$folder/store"
for line in "--memory: expected a name that ends with .safetensors" "--memory: how many --centroids?" \
  "--memory: of which --memory-layer?" "--model: no folder $folder/nothing" "--data: no folder $folder/none" \
  "unknown task 'MRCP'" "--teacher-outputs: expected a name that ends with .h5"; do
  grep -qF -- "$line" <<<"$output" || problem "export does not list '$line'"
done
expect 2 "no folder $folder/nothing" "$kdbench" predict --model "$folder/nothing" --data "$folder" --tasks RTE
expect 2 "--tasks RTE: no rows to predict" "$kdbench" predict --model "$folder/nothing" --data "$folder" --tasks RTE

printf '%s\n' '[PAD]' '[UNK]' '[CLS]' '[SEP]' '[MASK]' a b '##c' >"$folder/vocab.txt"
expect_ids() {
  local expected=$1
  shift
  local found
  found=$("$kdbench" tokenize --tokenizer "$folder" "$@" <"$folder/input")
  if [ "$found" != "$expected" ]; then
    echo "FAILED: tokenize $*: $found"
    failures=$((failures + 1))
  fi
}
printf 'a bc\n' >"$folder/input"
expect_ids '{"ids":[5,6,7],"token_type_ids":[0,0,0]}'
expect_ids '{"ids":[2,5,6,7,3],"token_type_ids":[0,0,0,0,0]}' --max-length 8
printf 'a\tbc b\n' >"$folder/input"
expect_ids '{"ids":[2,5,3,6,7,3],"token_type_ids":[0,0,0,1,1,1]}' --max-length 6

case=$data/parity/finetune-rte
model=(--model "$data/models/rte-student" --data "$data/rows")
expect 2 "--cls-layers: the model has no layer 9 (1 to" "$kdbench" export "${model[@]}" --task RTE \
  --teacher-outputs "$folder/t.h5" --cls-layers 1,9
expect 2 "no file $data/rows/RTE/test.tsv" "$kdbench" export "${model[@]}" --task RTE \
  --teacher-outputs "$folder/t.h5" --splits train,test
expect 2 "unknown RTE split 'valid'" "$kdbench" export "${model[@]}" --task RTE --teacher-outputs "$folder/t.h5" --splits valid
expect 2 "is more than the model's" "$kdbench" predict "${model[@]}" --tasks RTE --max-seq-length 4096
expect 2 "no such method" "$kdbench" distill "$case/experiment.toml" --method kd
expect 2 "teacher: is missing" "$kdbench" finetune "$case/experiment.toml"
expect 2 "nothing to train" "$kdbench" finetune "$data/parity/kd-rte/experiment.toml"
expect 0 '"epochs": 3' "$kdbench" inspect "$case/experiment.toml"
expect 0 "0 not finite" "$kdbench" inspect "$data/models/rte-student/model.safetensors"
head -c 1000 "$data/models/rte-student/model.safetensors" >"$folder/cut.safetensors"
expect 2 "cut.safetensors" "$kdbench" inspect "$folder/cut.safetensors"

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0)) # not the number: 77 would count as skipped
