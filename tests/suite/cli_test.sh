#!/bin/bash
# SPDX-License-Identifier: MIT
# The program from outside: exit codes and what is printed. cli_test.sh KDBENCH [SHARED]
set -u
kdbench=$1
shared=${KDBENCH_SHARED:-${2:-}}
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"

expect 0 "kdbench " "$kdbench" --version
expect 0 "tokenize" "$kdbench" --help
expect 0 "--max-length" "$kdbench" tokenize --help
expect 2 "kdbench: 'scale' is not available yet" "$kdbench" scale x.toml --ranks 1,2
expect 2 "did you mean 'tokenize'?" "$kdbench" tokenise
expect 2 "--tokenizer is required" "$kdbench" tokenize
expect 2 "subcommand is required" "$kdbench"
expect 2 "kdbench" "$kdbench" methods --nonsense
expect 0 "a number from 0 to 1" "$kdbench" methods kd
expect 0 "finetune: " "$kdbench" methods
expect 0 "one of \"fp32\"" "$kdbench" methods train
expect 0 "an integer from 1 to 4096" "$kdbench" methods bert
expect 0 "distilroberta" "$kdbench" methods roberta
expect 2 "did you mean 'kd'?" "$kdbench" methods kdd
expect 2 "not available yet" "$kdbench" methods d-heavy
expect 0 '"root": "synthetic"' "$kdbench" inspect "$(dirname "$0")/../../suite/experiments/quickstart.toml"
expect 2 "no such file or folder" "$kdbench" inspect "$folder/nothing"
expect 2 "does not exist" "$kdbench" tokenize --tokenizer "$folder/nothing"

for verb in finetune export distill predict glue-zip; do
  expect 0 "--out" "$kdbench" $verb --help
done
expect 2 "cannot be read" "$kdbench" distill "$folder/nothing.toml"
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

if [ -n "$shared" ] && [ -d "$shared/fixtures/parity" ]; then
  case=$shared/fixtures/parity/finetune-rte
  model=(--model "$case/student" --data "$case/data")
  expect 2 "--cls-layers: the model has no layer 9 (1 to" "$kdbench" export "${model[@]}" --task RTE \
    --teacher-outputs "$folder/t.h5" --cls-layers 1,9
  expect 2 "no file $case/data/RTE/test.tsv" "$kdbench" export "${model[@]}" --task RTE \
    --teacher-outputs "$folder/t.h5" --splits train,test
  expect 2 "unknown RTE split 'valid'" "$kdbench" export "${model[@]}" --task RTE --teacher-outputs "$folder/t.h5" --splits valid
  expect 2 "is more than the model's" "$kdbench" predict "${model[@]}" --tasks RTE --max-seq-length 4096
  expect 2 "no such method" "$kdbench" distill "$case/experiment.toml" --method kd
  expect 2 "teacher: is missing" "$kdbench" finetune "$case/experiment.toml"
  expect 2 "nothing to train" "$kdbench" finetune "$shared/fixtures/parity/kd-rte/experiment.toml"
  expect 0 '"epochs": 3' "$kdbench" inspect "$case/experiment.toml"
  expect 0 "0 not finite" "$kdbench" inspect "$case/student/model.safetensors"
  head -c 1000 "$case/student/model.safetensors" >"$folder/cut.safetensors"
  expect 2 "cut.safetensors" "$kdbench" inspect "$folder/cut.safetensors"
fi

[ "$failures" = 0 ] && echo "all as expected"
exit "$failures"
